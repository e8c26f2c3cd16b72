import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { StepVerdict } from '#grader/verdict'
import { Grading } from './grading.ts'

let grading: Grading
let steps: Map<string, StepVerdict>

beforeAll(async () => {
  grading = await Grading.start('02')
  writeFileSync(join(grading.labs, 'labs/02-odd/tests/unloadable.test.ts'), 'const port: = 3000\n')
  const { verdict } = await grading.grade(join(grading.labs, 'solutions/02-odd'), { limit: undefined })
  steps = new Map(verdict.steps.map((step) => [step.id, step]))
})
afterAll(async () => {
  await grading?.close()
})

/** Outcome and observation of a step. */
function said(id: string): { outcome: string; observed?: string; observedJa?: string; expected?: string } {
  const { outcome, failure } = steps.get(id)!
  return {
    outcome,
    observed: failure?.observed.en,
    observedJa: failure?.observed.ja,
    expected: failure?.expected.en,
  }
}

test('a step in which nothing was asserted has not passed', () => {
  expect(said('empty')).toMatchObject({ outcome: 'unknown', expected: 'at least one assertion' })
})

test('a test that never ends is timed out with its step, what it started is gone, the rest is not run', () => {
  expect(said('stuck')).toMatchObject({
    outcome: 'fail',
    observed: "timed out: the step's 1.5 s are over",
    observedJa: 'タイムアウト。ステップの制限時間1.5秒を超えた',
  })
  expect(steps.get('stuck')!.tests.map(({ outcome }) => outcome)).toEqual(['fail', 'not-run'])
  expect(steps.get('stuck')!.durationMs).toBeLessThan(1500 + 3000)
  expect(grading.left()).toEqual([])
})

test('a time-out says what was still waited for', () => {
  expect(said('patient')).toMatchObject({
    outcome: 'fail',
    expected: 'the moon',
    observed: "timed out: the step's 1.5 s are over, still waiting for: the moon",
    observedJa: 'タイムアウト。ステップの制限時間1.5秒を超えた（待っていたもの：月が出る）',
  })
  expect(said('late')).toMatchObject({
    outcome: 'fail',
    expected: 'the answer of server to GET /slow',
    observed: expect.stringMatching(/still waiting for: the answer of server to GET \/slow$/),
  })
})

test('our own mistakes are unknown, with what broke', () => {
  expect(said('broken')).toMatchObject({ outcome: 'unknown', observed: expect.stringContaining('undefined') })
  expect(said('unloadable')).toMatchObject({ outcome: 'unknown' })
  expect(said('unloadable').observed).not.toBe('')
})

test('a preparation that fails fails the test, for the reason that it had', () => {
  expect(said('unprepared')).toMatchObject({
    outcome: 'error',
    observed: expect.stringContaining("Cannot find module 'src/nothing-of-the-kind.ts'"),
  })
})

test('what this machine lacks is unknown, and the remedy is told', () => {
  expect(said('unavailable')).toMatchObject({
    outcome: 'unknown',
    expected: 'There is no telescope.',
    observed: 'Nobody bought one.',
  })
  expect(steps.get('unavailable')!.failure!.remedy?.en).toBe('Buy one.')
})

test('a role that dies while nobody asked anything of it is an error, even where the test would have passed', () => {
  expect(said('dies')).toMatchObject({ outcome: 'error', observed: 'mayfly ended by itself (exit status 4)' })
})

test('a step without tests is not run, and the run goes on to its end', () => {
  expect(said('untested').outcome).toBe('not-run')
  expect(said('fine').outcome).toBe('pass')
})
