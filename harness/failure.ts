import type { Text } from './text.ts'

/** What a failed step tells the learner. The grader adds hint text, evidence and logs. */
export interface Finding {
  outcome: 'fail' | 'error' | 'unknown'
  when: Text
  expected: Text
  observed: Text
  /** Rung of the step's ladder that fits the observation; the test's own default where nothing is said. */
  hint?: number
  /** The one thing to do, where our side could not go on. */
  remedy?: Text
  /** The learner's own stack or the servers' last words. */
  stack?: string
}

/** An assertion that did not hold, said so that a learner sees what happened. */
export class StepFailure extends Error {
  override readonly name = 'StepFailure'
  readonly finding: Finding

  constructor(finding: Finding, options?: ErrorOptions) {
    super(`expected ${finding.expected.en}, observed ${finding.observed.en}`, options)
    this.finding = finding
  }
}
