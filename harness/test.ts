import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll as vitestBeforeAll, test as vitestTest } from 'vitest'
import { connect, inRun, lab } from './context.ts'
import { collectEvidence, deadRole, findingOf, lastWords, unreadyRole, type Evidence } from './evidence.ts'
import { assertions } from './expect.ts'
import { StepFailure, type Finding } from './failure.ts'
import { forgetAnswer } from './http.ts'
import { Random } from './random.ts'
import { rehearsal } from './rehearsal.ts'
import { abortScope, scopes, type Scope } from './scope.ts'
import { newSituation, situation } from './situation.ts'
import { say, type Text } from './text.ts'
import { currentWait } from './waiting.ts'

/** What a test gets. */
export interface TestTools {
  /** Draws from the run's seed, independently of other tests. */
  random: Random
}

const DEFAULT_LIMIT = 20_000
/** Longest wait for a test to end whose waits have been aborted. */
const GRACE_MS = 1000

/** Milliseconds used so far, by step: red tests and checks share one limit. */
const used = new Map<string, number>()
/** Steps that have failed in this run: their other tests are not run. */
const failed = new Set<string>()

type Preparation = (tools: TestTools) => Promise<void>

/** Of the file that is being run. */
let beforeFile: Preparation[] = []
let beforeTests: (() => Promise<void>)[] = []
let prepared: Promise<void> | undefined
let currentFile = ''
/** `performance.now()` when its first test began. */
let fileBegun = 0
/** Nobody waits for what this thread does: the learner has saved again, or an earlier step has failed. */
let cancelled = false
/** The run ends before the file's step. */
let left = false
let listening: Promise<unknown> | undefined

/** Runs once before the file's tests, under the step's limit. What it starts ends with the file. */
export function beforeAll(prepare: Preparation): void {
  beforeFile.push(prepare)
}

/** Runs before each test of the file. What it starts ends with the test. */
export function beforeEach(prepare: () => Promise<void>): void {
  beforeTests.push(prepare)
}

/**
 * A test of the step that the file is named after. It runs against the real thing, under the step's time limit; what it
 * started ends with it. After a failure the step's other tests are skipped: one failure is enough to work on.
 */
export function test(title: Text, run: Preparation): void {
  vitestTest(title.en, { timeout: 3_600_000 }, async ({ task, skip }) => {
    task.meta.title = title
    currentFile = task.file.filepath
    const step = stepOf(currentFile)
    if (cancelled || left || failed.has(step)) skip()
    try {
      await withinLimit(step, title, () => wholeTest(step, title, run))
    } catch (error) {
      if (cancelled) skip()
      failed.add(step)
      await lab().host.failed(step)
      Object.assign(task.meta, (error as Explained).explained)
      throw error
    }
  })
}

/** Installed once for every test file of a run. */
export function installHooks(): void {
  if (!inRun()) return
  // oxlint-disable-next-line no-empty-pattern -- Vitest reads from the pattern which fixtures are wanted: none
  vitestBeforeAll(async ({}, { file }) => {
    const [{ host }] = await Promise.all([connect(), rehearsal.over()])
    left = !(await host.enter(stepOf(file.filepath)))
    listening ??= Promise.all([host.cancelled().then(leave), host.over().then(end)])
  }, 3_600_000)
  afterAll(async () => {
    beforeFile = []
    beforeTests = []
    prepared = undefined
    await scopes.closeFile()
    // After a failed step nothing is as the next one may count on.
    if (cancelled || failed.has(stepOf(currentFile))) await scopes.closeShared()
  }, 3_600_000)
}

/** What the files of this thread have shared ends with the last of them. */
async function end(): Promise<void> {
  const problem = await scopes.closeShared().then(
    () => undefined,
    (error: Error) => error.message,
  )
  await lab().host.ended(problem)
}

/** Ends the waits of the test that is running; what comes after it is skipped. */
function leave(): void {
  cancelled = true
  abortScope(new Error('the run was cancelled'))
}

/** File's preparation (once), each test's, the test itself; then everything it started is ended. */
async function wholeTest(step: string, title: Text, run: Preparation): Promise<void> {
  const begun = performance.now()
  const before = assertions()
  let scope: Scope | undefined
  try {
    const { seed } = lab()
    if (!prepared) fileBegun = begun
    prepared ??= inOrder(beforeFile.map((prepare) => () => prepare({ random: new Random(seed, step) })))
    await prepared
    scope = scopes.openTest()
    newSituation(title)
    forgetAnswer()
    await inOrder(beforeTests)
    await run({ random: new Random(seed, `${step}/${title.en}`) })
    await lastWords()
    const dead = deadRole()
    if (dead) throw new StepFailure(dead)
    if (assertions() === before) throw new StepFailure(NOTHING_ASSERTED)
  } catch (error) {
    throw await explain(error, begun)
  } finally {
    await scopes.closeTest(scope)
  }
}

async function inOrder(steps: (() => Promise<void>)[]): Promise<void> {
  for (const step of steps) await step()
}

/** An error with what the learner needs to understand it. */
interface Explained extends Error {
  explained: { finding: Finding; evidence: Evidence }
}

async function explain(error: unknown, begun: number): Promise<Explained> {
  await lastWords()
  const finding = findingOf(error)
  const wrapped = error instanceof Error ? error : new Error(String(error))
  // A log that can't be read any more must not hide what was found.
  const evidence = await collectEvidence(begun, fileBegun).catch(() => ({ logs: [], timeline: [] }))
  return Object.assign(wrapped, { explained: { finding, evidence } })
}

/** Ends the test when the step's time is over: all waits of the harness are aborted, and what they waited for is said. */
async function withinLimit(step: string, title: Text, run: () => Promise<void>): Promise<void> {
  const begun = performance.now()
  const limit = lab().limits[step] ?? DEFAULT_LIMIT
  newSituation(title)
  let timer: NodeJS.Timeout | undefined
  let failure: Explained | undefined
  const late = new Promise<void>((resolve) => {
    const left = Math.max(0, limit - (used.get(step) ?? 0))
    timer = setTimeout(
      () =>
        void tooLate(limit, begun)
          .then((it) => (failure = it))
          .finally(resolve),
      left,
    )
  })
  const running = run()
  try {
    await Promise.race([running, late])
    if (!failure) return
    abortScope(new Error('the time limit of the step is over'))
    // What the test has started ends before the next one begins, also where the test itself hears of no abort.
    await Promise.race([running.catch(() => {}), pause(GRACE_MS)])
    await scopes.closeTest()
    throw failure
  } finally {
    clearTimeout(timer)
    used.set(step, (used.get(step) ?? 0) + performance.now() - begun)
  }
}

/** Told before anything is aborted: what is waited for, and a role that never became ready, can still be asked. */
async function tooLate(limit: number, begun: number): Promise<Explained> {
  const timeout = outOfTime(limit)
  const unready = await unreadyRole()
  return explain(unready ? new StepFailure(unready) : timeout, begun)
}

function outOfTime(limit: number): StepFailure {
  const wait = currentWait()
  return new StepFailure({
    outcome: 'fail',
    when: situation(),
    expected: wait ?? say('the step within its time limit', '制限時間内に終わる'),
    observed: say(
      `timed out: the step's ${limit / 1000} s are over${wait ? `, still waiting for: ${wait.en}` : ''}`,
      `タイムアウト。ステップの制限時間${limit / 1000}秒を超えた${wait ? `（待っていたもの：${wait.ja}）` : ''}`,
    ),
  })
}

const NOTHING_ASSERTED: Finding = {
  outcome: 'unknown',
  when: say('the test ran to its end', 'テストは最後まで実行された'),
  expected: say('at least one assertion', '一つ以上の検証'),
  observed: say('none: the workbook itself is at fault', '検証なし。ワークブック側の不具合です'),
}

/** `tests/split.test.ts` and `02-…/split.check.ts` belong to step `split`. */
export function stepOf(file: string): string {
  return file
    .split(/[\\/]/)
    .at(-1)!
    .replace(/\.(test|check)\.ts$/, '')
}

declare module 'vitest' {
  interface TaskMeta {
    title?: Text
    finding?: Finding
    evidence?: Evidence
  }
}
