import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import type { TestSpecification, Vitest } from 'vitest/node'
import { serve } from '#harness/remote'
import type { Runtime } from '#harness/runtime/runtime'
import { Collector, type PlannedStep, type VerdictListener } from './collector.ts'
import { Course } from './course.ts'
import { Lane, LANES } from './lane.ts'
import { labVersion, testFiles, type Lab } from './labs.ts'
import { feed, makeRunFolder, runName, writeAtomically } from './run-folder.ts'
import { distrusted, refusalOf, watchFiles } from './refusal.ts'
import type { RunFacts } from './session.ts'
import type { Subject } from './subject.ts'
import { openVitest } from './vitest.ts'
import { VERDICT_VERSION, type StepVerdict, type Verdict } from './verdict.ts'
import { WarmPool } from './warm-worker.ts'

export interface RunOptions extends VerdictListener {
  subject: Subject
  seed?: number
  /** Steps in the order in which to run them; default the lab's own. */
  order?: string[]
  /** Of each step, only the red tests or only the checks. Default: both. */
  kind?: 'red' | 'check'
  /** Leave out what comes after the first failure. */
  stopAtFailure?: boolean
  /** How many steps go on side by side, each on servers of its own. Default: two where the machine has room for them. */
  lanes?: number
}

/** Grades subjects of one lab. The topology is started once and stays warm between runs. */
export class Grader {
  readonly lab: Lab
  readonly runtime: Runtime
  readonly #lanes: readonly Lane[]
  readonly #pool: WarmPool
  #vitest!: Vitest
  #versions: Record<string, string> | undefined
  #collector: Collector | undefined
  #course = new Course([], false)
  /** Files that one thread runs one after the other, by the first of them. */
  #together = new Map<string, string[]>()

  private constructor(lab: Lab, runtime: Runtime) {
    this.lab = lab
    this.runtime = runtime
    this.#lanes = Array.from({ length: LANES }, (_, i) => new Lane(lab, runtime, i + 1))
    this.#pool = new WarmPool({
      answer: (line, number, ending) =>
        serve(line, {
          ...this.#lanes[number - 1]!.host(() => this.#course),
          over: () => ending.over(),
          ended: (problem) => ending.ended(problem),
        }),
      filesOf: (first) => this.#together.get(first) ?? [first],
    })
  }

  /** Brings up the lab's topology and the test runner, side by side. */
  static async open(lab: Lab, runtime: Runtime): Promise<Grader> {
    const grader = new Grader(lab, runtime)
    const first = grader.#lanes[0]!
    try {
      const vitest = openVitest(grader.#pool, () => grader.#collector)
      ;[grader.#vitest] = await Promise.all([vitest, first.topology()])
    } catch (error) {
      await first.quiet()
      await runtime.close()
      throw error
    }
    return grader
  }

  /** Grades one subject: every planned step gets a verdict, and the run's folder holds what was seen. */
  async run({
    subject,
    seed = randomSeed(),
    order,
    kind,
    stopAtFailure = false,
    lanes = LANES,
    onBegin,
    onStep,
    onTest,
  }: RunOptions): Promise<Verdict> {
    const started = new Date()
    const startedAt = performance.timeOrigin + performance.now()
    const dir = makeRunFolder(this.lab.chapter, started)
    const plan = this.#plan(order, kind)
    const course = (this.#course = new Course(
      plan.map(({ id }) => id),
      stopAtFailure,
    ))
    const verdict = await this.#blankVerdict(subject, seed, started)
    const base = { lab: this.lab.id, chapter: this.lab.chapter, run: runName(dir), subject: subject.name }
    feed({ type: 'run-started', at: started.toISOString(), ...base })

    const record = (step: StepVerdict): void => {
      verdict.steps = verdict.steps.map((other) => (other.id === step.id ? step : other))
      verdict.durationMs = Math.round(performance.timeOrigin + performance.now() - startedAt)
      writeAtomically(join(dir, 'verdict.json'), `${JSON.stringify(verdict, null, 2)}\n`)
      feed({ type: 'step', at: new Date().toISOString(), ...base, step })
      onStep?.(step)
    }
    this.#collector = new Collector(this.lab, plan, startedAt, {
      onStep: record,
      onTest: (step, test) => {
        course.seen()
        onTest?.(step, test)
      },
      ...(onBegin && { onBegin }),
    })

    const changed = watchFiles(this.lab)
    const used = Math.min(lanes, plan.length)
    const refused = await this.#prepare(used, subject, { dir, seed, startedAt }).catch(refusalOf)
    if (refused) for (const { id } of plan) record({ ...this.#collector.verdictOf(id), ...refused })
    else {
      if (!course.isCancelled)
        await this.#vitest.runTestSpecifications(this.#specifications(plan, used), true)
      // A run that was cancelled, or a worker that broke, leaves steps without a verdict.
      for (const { id } of plan)
        if (verdict.steps.find((s) => s.id === id)?.tests.length === 0) record(this.#collector.verdictOf(id))
      const files = changed()
      if (files.length > 0)
        for (const step of verdict.steps) if (step.outcome === 'pass') record(distrusted(step, files))
    }
    await this.#pool.next().finally(() => {
      for (const lane of this.#lanes.slice(0, used)) lane.heal()
    })
    finish(verdict, plan)
    writeAtomically(join(dir, 'verdict.json'), `${JSON.stringify(verdict, null, 2)}\n`)
    writeAtomically(
      join(dir, 'timeline.json'),
      `${JSON.stringify(
        verdict.steps.map((s) => ({ step: s.id, events: s.failure?.timeline ?? [] })),
        null,
        2,
      )}\n`,
    )
    feed({ type: 'run-ended', at: new Date().toISOString(), ...base, status: verdict.status })
    return verdict
  }

  /**
   * Ends the run that is under way, and the test that it is in, with all that this has started. Told to the tests
   * themselves: Vitest's own way abandons the running test and waits for its worker, which has to clean up first.
   */
  cancel(): void {
    this.#course.cancel()
  }

  /** The last run was cancelled: its verdict says nothing about the subject. */
  get cancelled(): boolean {
    return this.#course.isCancelled
  }

  /** Resolves when the servers are as before the last run: until then it still uses the machine. */
  async settled(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.settled()))
  }

  async close(): Promise<void> {
    this.cancel()
    await Promise.all(this.#lanes.map((lane) => lane.quiet()))
    await Promise.allSettled([this.#vitest.close(), this.#pool.close(), this.runtime.close()])
  }

  #plan(order = this.lab.spec.steps.map((step) => step.id), only?: 'red' | 'check'): PlannedStep[] {
    return order.map((id) => ({
      id,
      files: testFiles(this.lab, id).filter(({ kind }) => only === undefined || kind === only),
    }))
  }

  /** What Vitest deals out to its threads: whole steps, or all of them to one. */
  #specifications(plan: PlannedStep[], lanes: number): TestSpecification[] {
    const project = this.#vitest.getRootProject()
    const steps = plan.map(({ files }) => files.map(({ file }) => file)).filter((files) => files.length > 0)
    const parts = lanes === 1 ? [steps.flat()] : steps
    this.#together = new Map(parts.map((files) => [files[0]!, files]))
    return parts.map(([first]) => project.createSpecification(first!))
  }

  /** Databases and context for this subject. @throws what {@link refusalOf} explains */
  async #prepare(lanes: number, subject: Subject, run: RunFacts): Promise<undefined> {
    const [first, ...others] = this.#lanes.slice(0, lanes)
    await first!.prepare(subject, run)
    // The first verdict needs none of this; a lane that can't be made ready tells its own tests.
    for (const lane of others) lane.prepare(subject, run).catch(() => {})
  }

  async #blankVerdict(subject: Subject, seed: number, started: Date): Promise<Verdict> {
    const topology = await this.#lanes[0]!.topology()
    this.#versions ??= await topology.versions()
    const blank = new Collector(this.lab, [], 0)
    return {
      version: VERDICT_VERSION,
      lab: this.lab.id,
      chapter: this.lab.chapter,
      title: this.lab.spec.title,
      subject: subject.name,
      runtime: { kind: this.runtime.kind, why: this.runtime.why, versions: this.#versions },
      seed,
      labVersion: labVersion(this.lab),
      startedAt: started.toISOString(),
      durationMs: 0,
      status: 'running',
      points: { earned: 0, possible: this.lab.spec.steps.reduce((sum, step) => sum + step.points, 0) },
      steps: this.lab.spec.steps.map((step) => ({ ...blank.verdictOf(step.id), outcome: 'not-run' })),
    }
  }
}

/** The status says how those steps did that were asked for. */
function finish(verdict: Verdict, asked: PlannedStep[]): void {
  const outcomes = asked.map(({ id }) => verdict.steps.find((step) => step.id === id)!.outcome)
  verdict.points.earned = verdict.steps.reduce((sum, s) => sum + (s.outcome === 'pass' ? s.points : 0), 0)
  // What is certain comes first: one failed step is a failure, whatever else could not be decided.
  verdict.status = outcomes.includes('fail')
    ? 'fail'
    : outcomes.includes('error')
      ? 'error'
      : outcomes.every((outcome) => outcome === 'pass')
        ? 'pass'
        : 'unknown'
}

function randomSeed(): number {
  return Math.floor(Math.random() * 1_000_000_000)
}
