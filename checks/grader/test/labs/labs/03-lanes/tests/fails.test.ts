import { expect, same, test } from '#harness'
import { read } from './marks.ts'

test(same('it fails while a later step runs'), async () => {
  await read('after')
  expect(1, same('one')).toBe(2)
})
