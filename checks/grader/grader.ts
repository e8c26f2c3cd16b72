import type { EventEmitter } from 'node:events'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { Writable } from 'node:stream'
import { createVitest, type TestSpecification, type Vitest } from 'vitest/node'
import type { HostApi, RunContext } from '#harness/context'
import { ROOT } from '#harness/paths'
import { serve } from '#harness/remote'
import type { Runtime } from '#harness/runtime/runtime'
import { StartedTopology } from '#harness/topology'
import { Collector, type PlannedStep, type VerdictListener } from './collector.ts'
import { labVersion, testFiles, type Lab } from './labs.ts'
import { feed, makeRunFolder, runName, writeAtomically } from './run-folder.ts'
import { distrusted, refusalOf, watchFiles } from './refusal.ts'
import { hostFor, prepareDatabases, runContext, standbyPlan } from './session.ts'
import type { Subject } from './subject.ts'
import { VERDICT_VERSION, type StepVerdict, type Verdict } from './verdict.ts'
import { WarmPool } from './warm-worker.ts'

export interface RunOptions extends VerdictListener {
  subject: Subject
  seed?: number
  /** Steps in the order in which to run them; default the lab's own. */
  order?: string[]
  /** Leave out what comes after the first failure. */
  stopAtFailure?: boolean
}

/** Grades subjects of one lab. The topology is started once and stays warm between runs. */
export class Grader {
  readonly lab: Lab
  readonly runtime: Runtime
  readonly topology: StartedTopology
  readonly #vitest: Vitest
  readonly #pool: WarmPool
  #versions: Record<string, string> | undefined
  #context: RunContext | undefined
  #collector: Collector | undefined
  #healed: Promise<void> | undefined
  #cancelled = Promise.withResolvers<void>()
  #isCancelled = false

  private constructor(lab: Lab, runtime: Runtime, topology: StartedTopology, vitest: Vitest, pool: WarmPool) {
    this.lab = lab
    this.runtime = runtime
    this.topology = topology
    this.#vitest = vitest
    this.#pool = pool
  }

  /** Brings up the lab's topology and the test runner, side by side. */
  static async open(lab: Lab, runtime: Runtime): Promise<Grader> {
    let grader: Grader | undefined
    const pool = new WarmPool((line) => {
      const methods = (): HostApi => grader!.#host()
      serve(line, new Proxy({}, { get: (_, name) => methods()[name as keyof HostApi] }))
    })
    const collector = (): Collector | undefined => (grader ? grader.#collector : undefined)
    const [topology, vitest] = await Promise.all([
      StartedTopology.start(runtime, lab.spec.topology),
      openVitest(lab, pool, collector),
    ])
    grader = new Grader(lab, runtime, topology, vitest, pool)
    return grader
  }

  /** Grades one subject: every planned step gets a verdict, and the run's folder holds what was seen. */
  async run({
    subject,
    seed = randomSeed(),
    order,
    stopAtFailure = false,
    onStep,
    onTest,
  }: RunOptions): Promise<Verdict> {
    this.#isCancelled = false
    this.#cancelled = Promise.withResolvers()
    const started = new Date()
    const startedAt = performance.timeOrigin + performance.now()
    const dir = makeRunFolder(this.lab.chapter, started)
    const plan = this.#plan(order)
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
    this.#collector = new Collector(this.lab, plan, startedAt, { onStep: record, ...(onTest && { onTest }) })

    const changed = watchFiles(this.lab)
    const lastFile = plan.at(-1)?.files.at(-1)?.file
    const run = { dir, seed, startedAt, stopAtFailure, lastFile }
    const refused = await this.#prepare(subject, run).catch(refusalOf)
    if (refused) for (const { id } of plan) record({ ...this.#collector.verdictOf(id), ...refused })
    else {
      if (!this.#isCancelled) await this.#vitest.runTestSpecifications(this.#specifications(plan), true)
      // A run that was cancelled, or a worker that broke, leaves steps without a verdict.
      for (const { id } of plan)
        if (verdict.steps.find((s) => s.id === id)?.tests.length === 0) record(this.#collector.verdictOf(id))
      const files = changed()
      if (files.length > 0)
        for (const step of verdict.steps) if (step.outcome === 'pass') record(distrusted(step, files))
    }
    this.#pool.prepareNext()
    this.#healed = this.topology.heal()
    this.#healed.catch(() => {}) // the next run awaits it and reports
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
    this.#isCancelled = true
    this.#cancelled.resolve()
  }

  /** The last run was cancelled: its verdict says nothing about the subject. */
  get cancelled(): boolean {
    return this.#isCancelled
  }

  /** Resolves when the servers are as before the last run: until then it still uses the machine. */
  async settled(): Promise<void> {
    await this.#healed?.catch(() => {}) // the next run awaits it and reports
  }

  async close(): Promise<void> {
    this.cancel()
    await this.#healed?.catch(() => {}) // it goes down with the topology
    await Promise.allSettled([this.#vitest.close(), this.#pool.close(), this.topology.close()])
  }

  #plan(order = this.lab.spec.steps.map((step) => step.id)): PlannedStep[] {
    return order.map((id) => ({ id, files: testFiles(this.lab, id) }))
  }

  #specifications(plan: PlannedStep[]): TestSpecification[] {
    const project = this.#vitest.getRootProject()
    return plan.flatMap(({ files }) => files.map(({ file }) => project.createSpecification(file)))
  }

  /** Databases and context for this subject. @throws what {@link refusalOf} explains */
  async #prepare(
    subject: Subject,
    { lastFile, ...run }: Parameters<typeof runContext>[3] & Pick<RunContext, 'lastFile'>,
  ): Promise<undefined> {
    await this.#healed
    await prepareDatabases(this.topology, this.lab, subject)
    this.#context = { ...(await runContext(this.lab, this.runtime, subject, run)), lastFile }
  }

  #host(): HostApi {
    return hostFor(
      this.topology,
      () => this.#context!,
      () => this.#context && standbyPlan(this.lab, this.#context),
      () => this.#cancelled.promise,
    )
  }

  async #blankVerdict(subject: Subject, seed: number, started: Date): Promise<Verdict> {
    this.#versions ??= await this.topology.versions()
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

async function openVitest(lab: Lab, pool: WarmPool, collector: () => Collector | undefined): Promise<Vitest> {
  const withdraw = rememberSignals()
  const vitest = await createVitest(
    'test',
    {
      config: false,
      root: ROOT,
      watch: false,
      include: ['**/*.test.ts', '**/*.check.ts'],
      dir: ROOT,
      setupFiles: [join(ROOT, 'harness/setup.ts')],
      isolate: false,
      maxWorkers: 1,
      fileParallelism: false,
      disableConsoleIntercept: true,
      pool,
      // Given in the order in which they must run.
      sequence: { sequencer: InOrder },
      // Node loads the harness itself: already there when the learner saves, and one copy of it.
      server: { deps: { external: [/[\\/]harness[\\/]/], inline: [] } },
      reporters: [
        {
          onTestCaseResult: (test) => collector()?.onTestCaseResult(test),
          onTestModuleEnd: (module) => collector()?.onTestModuleEnd(module),
        },
      ],
    },
    { server: { watch: null, middlewareMode: true }, logLevel: 'error' },
    // Its own words would stand in the middle of the learner's screen.
    process.env.WORKBOOK_DEBUG ? {} : { stdout: silence(), stderr: silence() },
  )
  withdraw()
  await vitest.standalone()
  void lab
  return vitest
}

/** Vitest would end the process within a millisecond of a signal; how a command ends is the command's. */
function rememberSignals(): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'unhandledRejection'] as const
  const events: EventEmitter = process
  const before = new Map(signals.map((signal) => [signal, events.listeners(signal)]))
  return () => {
    for (const signal of signals)
      for (const listener of events.listeners(signal))
        if (!before.get(signal)?.includes(listener)) events.off(signal, listener as () => void)
  }
}

function silence(): Writable {
  return new Writable({ write: (_chunk, _encoding, done) => done() })
}

class InOrder {
  shard<T>(files: T[]): T[] {
    return files
  }
  sort<T>(files: T[]): T[] {
    return files
  }
}

function randomSeed(): number {
  return Math.floor(Math.random() * 1_000_000_000)
}
