import { describe, expect, it } from 'vitest'
import type { FeedEvent, Outcome, Progress, StepVerdict, Verdict } from '../../../checks/grader/verdict.ts'
import { NOTHING, passed, receive, receiveVerdict, standing, type LiveState } from './state.ts'

const CHAPTER = '02-dual-servers'
const head = { at: '', lab: 'dual-servers', chapter: CHAPTER, subject: 'workspace' }
const step = (id: string, outcome: Outcome) => ({ id, outcome }) as StepVerdict
const feed = (state: LiveState, event: object) =>
  receive(state, { type: 'feed', event: { ...head, ...event } as FeedEvent })
const remembering = (best: Outcome, last: Outcome): LiveState => ({
  ...NOTHING,
  progress: {
    version: 1,
    labs: {
      'dual-servers': { best: { split: { outcome: best, at: '' } }, last: { steps: { split: last } } },
    },
  } as unknown as Progress,
})

describe('how a step stands', () => {
  it('is what progress remembers before anything runs', () => {
    expect(standing(NOTHING, CHAPTER, 'split')).toEqual({ outcome: 'not-run', passedBefore: false })
    expect(standing(remembering('pass', 'fail'), CHAPTER, 'split')).toEqual({
      outcome: 'fail',
      passedBefore: true,
    })
  })

  it('follows a run step by step', () => {
    let state = feed(remembering('pass', 'pass'), { type: 'run-started', run: '1' })
    expect(standing(state, CHAPTER, 'split').outcome).toBe('running')
    state = feed(state, { type: 'step', run: '1', step: step('split', 'fail') })
    expect(standing(state, CHAPTER, 'split')).toMatchObject({ outcome: 'fail', passedBefore: true })
    state = feed(state, { type: 'run-ended', run: '1', status: 'fail' })
    expect(standing(state, CHAPTER, 'queue').outcome).toBe('not-run')
  })

  it('forgets the run before when another starts', () => {
    let state = feed(NOTHING, { type: 'step', run: '1', step: step('split', 'pass') })
    state = feed(state, { type: 'run-started', run: '2' })
    expect(standing(state, CHAPTER, 'split').outcome).toBe('running')
  })

  it('is not moved by a run on a solution or a mutant', () => {
    const state = feed(NOTHING, { type: 'step', run: '1', subject: 'solution', step: step('split', 'pass') })
    expect(passed(state, CHAPTER, [{ id: 'split' }])).toBe(0)
  })
})

describe('the newest verdict, read after a reconnect', () => {
  const verdict = (steps: StepVerdict[]) =>
    ({ chapter: CHAPTER, status: 'pass', steps }) as unknown as Verdict

  it('is taken when nothing is known', () => {
    expect(
      passed(receiveVerdict(NOTHING, '1', verdict([step('split', 'pass')])), CHAPTER, [{ id: 'split' }]),
    ).toBe(1)
  })

  it('does not overwrite a newer run, or the same run further on', () => {
    const ahead = feed(NOTHING, { type: 'step', run: '2', step: step('split', 'pass') })
    expect(receiveVerdict(ahead, '1', verdict([step('split', 'fail')]))).toBe(ahead)
    expect(receiveVerdict(ahead, '2', verdict([]))).toBe(ahead)
  })
})
