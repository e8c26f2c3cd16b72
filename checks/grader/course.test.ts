import { setImmediate as nextTurn } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { Course } from './course.ts'

const STEPS = ['one', 'two', 'three', 'four']

async function isAbandoned(course: Course, lane: number): Promise<boolean> {
  let yes = false
  void course.abandoned(lane).then(() => (yes = true))
  await nextTurn()
  return yes
}

describe('a run that ends at the first failure', () => {
  test('no later step begins after it, in no lane; earlier ones do', () => {
    const course = new Course(STEPS, true)
    course.enter(1, 'two')
    course.failed('two')
    expect(course.enter(2, 'three')).toBe(false)
    expect(course.enter(2, 'one')).toBe(true)
  })

  test('whoever works on a later step leaves it, whoever works on an earlier one goes on', async () => {
    const course = new Course(STEPS, true)
    course.enter(1, 'one')
    course.enter(2, 'three')
    course.failed('two')
    expect(await isAbandoned(course, 1)).toBe(false)
    expect(await isAbandoned(course, 2)).toBe(true)
  })

  test('the earliest failure counts, whichever comes first', () => {
    const course = new Course(STEPS, true)
    course.failed('three')
    course.failed('two')
    course.failed('four')
    expect(course.enter(1, 'two')).toBe(true)
    expect(course.enter(1, 'three')).toBe(false)
  })
})

test('a run that goes on after a failure runs everything', async () => {
  const course = new Course(STEPS, false)
  course.enter(2, 'three')
  course.failed('one')
  expect(course.enter(1, 'four')).toBe(true)
  expect(await isAbandoned(course, 2)).toBe(false)
})

test('a cancelled run ends in every lane, also where a lane asks later', async () => {
  const course = new Course(STEPS, false)
  course.enter(1, 'one')
  course.cancel()
  expect(await isAbandoned(course, 1)).toBe(true)
  expect(await isAbandoned(course, 2)).toBe(true)
  expect(course.enter(1, 'two')).toBe(false)
})

test('the first lane begins at once, another one when a first test is done', async () => {
  const course = new Course(STEPS, true)
  await course.turn(1)
  let begun = false
  const turn = course.turn(2).then(() => (begun = true))
  await nextTurn()
  expect(begun).toBe(false)
  course.seen()
  await turn
})
