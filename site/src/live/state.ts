import type { FeedEvent, Outcome, Progress, StepVerdict, Verdict } from '../../../checks/grader/verdict.ts'
import type { Queue, ServerEvent } from './protocol.ts'

/**
 * `static`: a host without our server. `live`: the server talks to us. `away`: it did, and is silent now.
 */
export type Mode = 'starting' | 'static' | 'live' | 'away'

/** The newest run of a lab on the learner's own folder. */
export interface LabRun {
  run: string
  status: Verdict['status']
  steps: Record<string, StepVerdict>
}

export interface LiveState {
  mode: Mode
  progress: Progress
  queue: Queue
  /** By chapter, `02-dual-servers`. */
  runs: Record<string, LabRun>
}

export const NOTHING: LiveState = {
  mode: 'starting',
  progress: { version: 1, labs: {} },
  queue: { waiting: [] },
  runs: {},
}

/** State after a message of the server. */
export function receive(state: LiveState, message: ServerEvent): LiveState {
  switch (message.type) {
    case 'hello':
      return { ...state, mode: 'live', progress: message.progress, queue: message.queue }
    case 'progress':
      return { ...state, progress: message.progress }
    case 'queue':
      return { ...state, queue: message.queue }
    case 'feed':
      return receiveFeed(state, message.event)
  }
}

function receiveFeed(state: LiveState, event: FeedEvent): LiveState {
  // Authors grade solutions and mutants too; the page is about the reader's own work.
  if (event.subject !== 'workspace') return state
  const known = state.runs[event.chapter]
  const current: LabRun = known?.run === event.run ? known : { run: event.run, status: 'running', steps: {} }
  return { ...state, runs: { ...state.runs, [event.chapter]: next(current, event) } }
}

function next(run: LabRun, event: FeedEvent): LabRun {
  switch (event.type) {
    case 'run-started':
      return run
    case 'step':
      return { ...run, steps: { ...run.steps, [event.step.id]: event.step } }
    case 'run-ended':
      return { ...run, status: event.status }
  }
}

/** State after the newest verdict of a lab was read. A run that the feed already knows better is left alone. */
export function receiveVerdict(state: LiveState, run: string, verdict: Verdict): LiveState {
  const known = state.runs[verdict.chapter]
  if (
    known &&
    (known.run > run || (known.run === run && Object.keys(known.steps).length > verdict.steps.length))
  )
    return state
  const steps = Object.fromEntries(verdict.steps.map((step) => [step.id, step]))
  return { ...state, runs: { ...state.runs, [verdict.chapter]: { run, status: verdict.status, steps } } }
}

/** How a step stands, as a page shows it. */
export interface Standing {
  outcome: Outcome | 'running'
  /** It has passed once, even if it doesn't now. */
  passedBefore: boolean
  verdict?: StepVerdict
}

/** How one step of a chapter stands: the newest run first, what progress remembers where it says nothing. */
export function standing(state: LiveState, chapter: string, step: string): Standing {
  const progress = state.progress.labs[chapter.slice(3)]
  const run = state.runs[chapter]
  const verdict = run?.steps[step]
  const passedBefore = progress?.best[step]?.outcome === 'pass'
  const remembered = progress?.last.steps[step] ?? (passedBefore ? 'pass' : 'not-run')
  const outcome = verdict?.outcome ?? (run?.status === 'running' ? 'running' : remembered)
  return { outcome, passedBefore, ...(verdict && { verdict }) }
}

/** How many steps of a chapter stand at pass now. */
export function passed(state: LiveState, chapter: string, steps: readonly { id: string }[]): number {
  return steps.filter(({ id }) => standing(state, chapter, id).outcome === 'pass').length
}
