import type { Text } from '#harness/text'

/**
 * The contract between the grader and everything that shows a result: terminal, `--json`, `--junit`, progress, site.
 * A change that an old reader would misread raises {@link VERDICT_VERSION}.
 */
export const VERDICT_VERSION = 1

/** What the grader says of a step or of one test. */
export type Outcome = 'pass' | 'fail' | 'error' | 'unknown' | 'not-run'

/** Why a step did not pass, as the learner reads it. */
export interface Failure {
  /** Title of the test that failed. */
  test: Text
  /** What we did. */
  when: Text
  expected: Text
  observed: Text
  /** Which rung of the step's ladder fits what was observed, from 1. */
  hint: number
  /** That rung, in words. */
  hintText?: Text
  /** The one thing to do, where our side could not go on. */
  remedy?: Text
  /** Files of the run's folder, relative to it. */
  evidence: string[]
  /** The last lines of the roles involved. */
  logs: { role: string; lines: string[] }[]
  /** The end of the timeline, up to the failure. */
  timeline: TimelineEvent[]
  /** The learner's own stack, when their role threw. */
  stack?: string
}

/** One thing that crossed between the parts. */
export interface TimelineEvent {
  /** Milliseconds since the run began. */
  at: number
  from: string
  to: string
  kind: 'http' | 'sql' | 'redis' | 'signal' | 'link' | 'role' | 'note'
  /** `PUT /api/profile → 200`, `insert into …`, `SIGKILL`. */
  text: string
  /** The same in Japanese, where it is a sentence. */
  ja?: string
  /** Milliseconds that it took, where it has a length. */
  ms?: number
  /** It went wrong: refused, reset, 5xx, timed out. */
  failed?: boolean
}

export interface TestVerdict {
  title: Text
  /** `red`: the learner reads it; `check`: hidden. */
  kind: 'red' | 'check'
  outcome: Outcome
  durationMs: number
}

export interface StepVerdict {
  id: string
  title: Text
  points: number
  guard: boolean
  /** Anchor on the chapter page. */
  section: string
  outcome: Outcome
  durationMs: number
  tests: TestVerdict[]
  failure?: Failure
}

export interface Verdict {
  version: typeof VERDICT_VERSION
  /** Permanent id of the lab, `dual-servers`. */
  lab: string
  /** Folder of the lab and name of the chapter page, `02-dual-servers`. */
  chapter: string
  title: Text
  /** `workspace`, `solution`, `starter`, or the path that was given. */
  subject: string
  runtime: { kind: 'docker' | 'native'; why: Text; versions: Record<string, string> }
  /** Give it back with `--seed` to repeat the run's random inputs. */
  seed: number
  /** Hash of the lab's manifest, tests, checks and data. */
  labVersion: string
  startedAt: string
  durationMs: number
  /** `running` until the last step is graded: the file is rewritten after every step. */
  status: 'running' | 'pass' | 'fail' | 'error' | 'unknown'
  points: { earned: number; possible: number }
  steps: StepVerdict[]
}

/** Exit status of a command by the worst outcome. */
export const EXIT_STATUS = { pass: 0, fail: 1, error: 2, unknown: 3 } as const

/** A line of `workspace/.runs/feed.jsonl`, which the site follows. */
export type FeedEvent =
  | { type: 'run-started'; at: string; lab: string; chapter: string; run: string; subject: string }
  | {
      type: 'step'
      at: string
      lab: string
      chapter: string
      run: string
      subject: string
      step: StepVerdict
    }
  | {
      type: 'run-ended'
      at: string
      lab: string
      chapter: string
      run: string
      subject: string
      status: Verdict['status']
    }

/** `workspace/progress.json`. */
export interface Progress {
  version: 1
  labs: Record<string, LabProgress>
}

export interface LabProgress {
  /** Best outcome of each step so far, by step id. */
  best: Record<string, { outcome: Outcome; at: string }>
  /** The last run of `check` or `lab`. */
  last: {
    at: string
    run: string
    status: Verdict['status']
    points: { earned: number; possible: number }
    steps: Record<string, Outcome>
  }
  /** The lab's version that `best` belongs to. */
  labVersion: string
  /** Set when a newer edition of the lab reopened it. */
  reopened?: { at: string; steps: string[] }
  /** Hints opened so far, by step id. */
  hints: Record<string, number>
  /** The learner gave up and looked at the solution. */
  surrendered?: string
}
