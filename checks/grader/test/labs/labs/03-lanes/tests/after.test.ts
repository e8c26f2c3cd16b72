import { eventually, same, test } from '#harness'
import { leave } from './marks.ts'

test(same('it waits for what never comes'), async () => {
  leave('after', 'runs')
  await eventually(same('the moon'), () => false, true, { within: 15_000 })
})

test(same('it comes after'), async () => {
  leave('too late', 'ran')
})
