import { expect, say, test } from '#harness'

test(say('our own mistake', 'ワークブックの誤り'), async () => {
  const nothing = undefined as unknown as { field: number }
  expect(nothing.field).toBe(1)
})
