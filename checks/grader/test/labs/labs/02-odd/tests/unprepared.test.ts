import { beforeAll, expect, say, startRole, test } from '#harness'

beforeAll(async () => {
  await startRole('nothing-of-the-kind')
})

test(say('its preparation fails', '準備に失敗する'), async () => {
  expect(1).toBe(1)
})
