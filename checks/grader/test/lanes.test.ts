import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Grading } from './grading.ts'

let grading: Grading

beforeAll(async () => {
  grading = await Grading.start('03', { WORKBOOK_LANES: '2' })
})
afterAll(async () => {
  await grading?.close()
})

const run = (how: object) =>
  grading.grade(join(grading.labs, 'solutions/03-lanes'), { limit: undefined, ...how })

test('two steps run side by side, each on servers of its own', async () => {
  const { verdict } = await run({ order: ['left', 'right'] })
  expect(verdict.steps.map(({ outcome }) => outcome)).toEqual(['pass', 'pass', 'not-run', 'not-run'])
  expect(grading.left()).toEqual([])
})

test('after a failure a later step that is under way is left, and nothing of it goes on', async () => {
  const { verdict, ms } = await run({ order: ['fails', 'after'], whole: false })
  const [fails, after] = verdict.steps.slice(2)
  expect(fails!.outcome).toBe('fail')
  expect(after!.outcome).toBe('not-run')
  expect(after).not.toHaveProperty('failure')
  expect(existsSync(join(grading.home, 'workspace/.runs/03-lanes/latest', 'too late'))).toBe(false)
  expect(ms).toBeLessThan(10_000) // the step that was left waits for 15 s
  expect(grading.left()).toEqual([])
})

test('where every step is asked for, a failure keeps no other from its verdict', async () => {
  const { verdict } = await run({ order: ['fails', 'after'], limit: 3000 })
  expect(verdict.steps.slice(2).map(({ outcome }) => outcome)).toEqual(['fail', 'fail'])
})

test('the next run finds both lanes as new', async () => {
  const { verdict } = await run({ order: ['right', 'left'] })
  expect(verdict.steps.slice(0, 2).map(({ outcome }) => outcome)).toEqual(['pass', 'pass'])
})
