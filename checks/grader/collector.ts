import type { Reporter, TestCase, TestModule } from 'vitest/node'
import { same, say, type Text } from '#harness/text'
import { eventsAt } from './timeline.ts'
import type { Lab } from './labs.ts'
import type { Failure, Outcome, StepVerdict, TestVerdict } from './verdict.ts'

/** Files of one step, in the order in which they run. */
export interface PlannedStep {
  id: string
  files: { kind: 'red' | 'check'; file: string }[]
}

/** Told of verdicts as they come. */
export interface VerdictListener {
  /** The first test file of a step begins. */
  onBegin?: (step: string) => void
  /** One test of a step is done. */
  onTest?: (step: string, test: TestVerdict) => void
  /** The last test of a step is done. */
  onStep?: (step: StepVerdict) => void
}

/** The worst decides: our own doubt first, so that it never counts against the learner. */
const RANK: Outcome[] = ['unknown', 'error', 'fail', 'not-run', 'pass']

/** A reporter of Vitest that turns test results into verdicts of steps, each as soon as its last file is done. */
export class Collector implements Reporter {
  readonly #lab: Lab
  readonly #startedAt: number
  readonly #listener: VerdictListener
  readonly #tests = new Map<string, { test: TestVerdict; failure?: Failure }[]>()
  readonly #begun = new Set<string>()
  /** Tests and files whose end was told: each is told twice (see `PromptRunner`). */
  readonly #ended = new Set<string>()
  readonly #filesLeft = new Map<string, number>()
  readonly #stepOfFile = new Map<string, { step: string; kind: 'red' | 'check' }>()
  readonly #broken = new Map<string, Failure>()
  readonly #durations = new Map<string, number>()

  constructor(lab: Lab, plan: PlannedStep[], startedAt: number, listener: VerdictListener = {}) {
    this.#lab = lab
    this.#startedAt = startedAt
    this.#listener = listener
    for (const { id, files } of plan) {
      this.#filesLeft.set(id, files.length)
      for (const { file, kind } of files) this.#stepOfFile.set(file, { step: id, kind })
    }
  }

  onTestModuleStart(module: TestModule): void {
    const place = this.#stepOfFile.get(module.moduleId)
    if (!place || this.#begun.has(place.step)) return
    this.#begun.add(place.step)
    this.#listener.onBegin?.(place.step)
  }

  onTestCaseResult(test: TestCase): void {
    const place = this.#stepOfFile.get(test.module.moduleId)
    if (!place || this.#again(test)) return
    const { state } = test.result()
    const meta = test.meta()
    const outcome: Outcome =
      state === 'passed' ? 'pass' : state === 'skipped' ? 'not-run' : (meta.finding?.outcome ?? 'unknown')
    const verdict: TestVerdict = {
      title: meta.title ?? same(test.name),
      kind: place.kind,
      outcome,
      durationMs: Math.round(test.diagnostic()?.duration ?? 0),
    }
    const failure = state === 'failed' ? this.#failure(test, place, verdict.title) : undefined
    const list = this.#tests.get(place.step) ?? []
    list.push({ test: verdict, ...(failure && { failure }) })
    this.#tests.set(place.step, list)
    this.#listener.onTest?.(place.step, verdict)
  }

  onTestModuleEnd(module: TestModule): void {
    const place = this.#stepOfFile.get(module.moduleId)
    if (!place || this.#again(module)) return
    const { step } = place
    const { duration } = module.diagnostic()
    this.#durations.set(step, (this.#durations.get(step) ?? 0) + duration)
    const errors = module.errors()
    if (errors.length > 0) this.#broken.set(step, ownFault(errors[0]!.message))
    const left = this.#filesLeft.get(step)! - 1
    this.#filesLeft.set(step, left)
    if (left === 0) this.#listener.onStep?.(this.verdictOf(step))
  }

  #again({ id }: { id: string }): boolean {
    if (this.#ended.has(id)) return true
    this.#ended.add(id)
    return false
  }

  /** The verdict of a step from what has come in so far. */
  verdictOf(id: string): StepVerdict {
    const spec = this.#lab.spec.steps.find((step) => step.id === id)!
    const tests = this.#tests.get(id) ?? []
    const outcomes = tests.map(({ test }) => test.outcome)
    const broken = this.#broken.get(id)
    const failure = broken ?? tests.find((t) => t.failure)?.failure
    const incomplete = tests.length === 0 || this.#filesLeft.get(id)! > 0
    const worst = broken
      ? 'unknown'
      : incomplete
        ? 'not-run'
        : RANK[Math.min(...outcomes.map((o) => RANK.indexOf(o)))]!
    return {
      id,
      title: spec.title,
      points: spec.points,
      guard: spec.guard === true,
      section: spec.section ?? id,
      outcome: incomplete && failure ? (tests.find((t) => t.failure)?.test.outcome ?? 'unknown') : worst,
      durationMs: Math.round(this.#durations.get(id) ?? 0),
      tests: tests.map(({ test }) => test),
      ...(failure && { failure }),
    }
  }

  #failure(test: TestCase, { step, kind }: { step: string; kind: 'red' | 'check' }, title: Text): Failure {
    const { finding, evidence } = test.meta()
    if (!finding) return ownFault(test.result().errors?.[0]?.message ?? 'no result')
    const { hints } = this.#lab.spec.steps.find((spec) => spec.id === step)!
    // A hidden check fails for those who have solved the obvious part: the first question no longer helps.
    const hint = Math.min(hints.length, finding.hint ?? (kind === 'red' ? 1 : 2))
    return {
      test: title,
      when: finding.when,
      expected: finding.expected,
      observed: finding.observed,
      hint,
      // A hint about the step helps nobody whose machine lacks something.
      ...(finding.outcome !== 'unknown' && { hintText: hints[hint - 1] }),
      ...(finding.remedy && { remedy: finding.remedy }),
      evidence: ['timeline.json', ...(evidence?.logs ?? []).map(({ file }) => file)],
      logs: (evidence?.logs ?? []).map(({ role, lines }) => ({ role, lines })),
      timeline: eventsAt(evidence?.timeline ?? [], this.#startedAt),
      ...(finding.stack && { stack: finding.stack }),
    }
  }
}

/** Our tests, not the learner's work, broke. */
function ownFault(message: string): Failure {
  return {
    test: say('the workbook’s own test', 'ワークブックのテスト'),
    when: say('the test was loaded', 'テストを読み込んだ'),
    expected: say('the test to run', 'テストが実行できる'),
    observed: same(message),
    hint: 1,
    evidence: [],
    logs: [],
    timeline: [],
  }
}
