import { expect as vitestExpect, test } from 'vitest'
import { any, arrayContaining, closeTo, expect, objectContaining, stringMatching } from './expect.ts'
import { StepFailure } from './failure.ts'
import { show } from './show.ts'

const PARTS = { state: stringMatching(/^(up|down)$/), count: any(Number), share: closeTo(0.3, 6) }

test('parts of a value may be anything of a kind', () => {
  expect({ state: 'up', count: 3, share: 0.1 + 0.2, more: 'x' }).toMatchObject(PARTS)
  expect([{ a: 1, b: 2 }]).toEqual(arrayContaining([objectContaining({ a: 1 })]))
  vitestExpect(() => expect({ state: 'off', count: 3, share: 0.3 }).toMatchObject(PARTS)).toThrow(StepFailure)
})

test('a learner reads them without the names of the library', () => {
  vitestExpect(show(PARTS)).toBe('{"state":/^(up|down)$/,"count":<Number>,"share":≈0.3}')
  vitestExpect(show(objectContaining({ a: 'x' }))).toBe('{"a":"x"}')
  vitestExpect(show({ inside: objectContaining({ a: 'x' }) })).toBe('{"inside":{"a":"x"}}')
})
