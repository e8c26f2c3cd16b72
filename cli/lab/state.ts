import type { Language } from '#harness/text'
import type { Lab } from '#grader/labs'
import type { Holder } from '#grader/run-lock'
import type { Outcome, StepVerdict, TestVerdict, Verdict } from '#grader/verdict'

/** What the command is doing. `passed`: tests so far of the steps under way, by step. */
export type Phase =
  | { kind: 'starting'; text: string }
  | { kind: 'waiting'; holder: Holder }
  | { kind: 'checking'; files: string[]; passed: Record<string, number> }
  | { kind: 'idle' }

export type View = 'main' | 'logs' | 'timeline' | 'failures' | 'solution' | 'give-up'

/** A step as it stands in the run under way. */
export type Row = Omit<StepVerdict, 'outcome'> & { outcome: Outcome | 'running' }

/** All that is shown of a lab that is being worked on. */
export interface LabState {
  readonly lab: Lab
  readonly lang: Language
  /** Number of the lab after this one. */
  readonly next: string | undefined
  /** Which runtime, and why. */
  runtime: string
  phase: Phase
  rows: Row[]
  /** Of the last run that came to its end. */
  verdict: Verdict | undefined
  /** What must be known about progress: damaged, read-only, reopened. */
  notices: string[]
  /** Answer to the last key. */
  message: string
  view: View
  /** Hints opened so far, by step. */
  opened: Record<string, number>
  /** Steps that passed when they ran last. */
  passed: Set<string>
  maySeeSolution: boolean
}

/** What has just happened: a screen draws itself anew, plain output adds lines. */
export type Change =
  | { type: 'phase' }
  | { type: 'begin' }
  | { type: 'test'; step: string; test: TestVerdict }
  | { type: 'step'; step: StepVerdict }
  | { type: 'ended' }
  | { type: 'message' }
  | { type: 'view' }

export interface Display {
  show(state: LabState, change: Change): void
  close(): void
}

/** The step whose failure is shown in full: until it passes, in this run already. */
export function firstFailure({ verdict, rows }: Pick<LabState, 'verdict' | 'rows'>): StepVerdict | undefined {
  const step = verdict?.steps.find(({ failure, outcome }) => failure && outcome !== 'pass')
  return rows.some(({ id, outcome }) => id === step?.id && outcome === 'pass') ? undefined : step
}

/** Rungs of the ladder that the learner sees: the one that fits, and what they opened beyond it. */
export function visibleHints(
  { opened, lab, lang }: LabState,
  step: StepVerdict,
): { rung: number; text: string }[] {
  const { hints } = lab.spec.steps.find(({ id }) => id === step.id)!
  const { failure } = step
  if (!failure?.hintText) return []
  const last = Math.max(failure.hint, opened[step.id] ?? 0)
  return hints.slice(failure.hint - 1, last).map((text, i) => ({ rung: failure.hint + i, text: text[lang] }))
}
