import { eventually, say, test } from '#harness'

test(say('it waits for longer than there is time', '制限時間より長く待つ'), async () => {
  await eventually(say('the moon', '月が出る'), () => false, true, { within: 60_000 })
})
