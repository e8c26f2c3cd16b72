import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { StepVerdict } from '#grader/verdict'
import { Grading } from './grading.ts'

/** What a learner may do to a service, and what they must be told. Each is graded, and a good subject after it. */
interface BadSubject {
  name: string
  /** Instead of a folder in `subjects/`: the solution, and what is done to it. */
  made?: (dir: string) => void
  /** Outcome of each step; `error|fail` where nobody can tell whether it died of the first request or before. */
  outcomes: Record<'greet' | 'stop', string>
  /** Milliseconds that a step may take, where the verdict comes with the end of that time. */
  limit?: number
  /** Grade what comes after the first step that has not passed, too. */
  whole?: boolean
  /** Of the step that did not pass first: what was observed. */
  observed: RegExp
  observedJa: RegExp
}

const SUBJECTS: BadSubject[] = [
  {
    name: 'syntax error',
    made: (dir) => writeFileSync(join(dir, 'src/server.ts'), 'const port: = 3000\n'),
    outcomes: { greet: 'error', stop: 'not-run' },
    observed: /^the process ended \(exit status 1: SyntaxError \[ERR_INVALID_TYPESCRIPT_SYNTAX\]/,
    observedJa: /^プロセスが終了した（終了コード1：SyntaxError/,
  },
  {
    name: 'throws-at-import',
    whole: true,
    outcomes: { greet: 'error', stop: 'error' },
    observed:
      /^the process ended \(exit status 1: TypeError: Cannot read properties of undefined \(reading 'name'\)\)$/,
    observedJa: /^プロセスが終了した（終了コード1：TypeError/,
  },
  {
    name: 'exits-at-once',
    outcomes: { greet: 'error', stop: 'not-run' },
    observed: /^the process ended \(exit status 0\)$/,
    observedJa: /^プロセスが終了した（終了コード0）$/,
  },
  {
    name: 'exits-after-listening',
    outcomes: { greet: 'error|fail', stop: 'not-run' },
    observed: /^server ended by itself \(exit status 1\)$/,
    observedJa: /^serverが自分で終了した（終了コード1）$/,
  },
  {
    name: 'never-listens',
    limit: 3000,
    outcomes: { greet: 'error', stop: 'not-run' },
    observed: /^timed out after \d+ ms: nothing listens on PORT=\d+$/,
    observedJa: /^\d+ミリ秒でタイムアウト。PORT=\d+で待ち受けがない$/,
  },
  {
    name: 'wrong-port',
    limit: 3000,
    outcomes: { greet: 'error', stop: 'not-run' },
    observed: /^timed out after \d+ ms: it listens on port \d+, not on PORT=\d+$/,
    observedJa: /PORT=\d+ではなく、ポート\d+で待ち受けている$/,
  },
  {
    name: 'loop-in-handler',
    whole: true,
    outcomes: { greet: 'fail', stop: 'fail' },
    observed: /^no answer within 2000 ms$/,
    observedJa: /^2000ミリ秒以内に応答なし$/,
  },
  {
    name: 'loop-at-start',
    limit: 3000,
    outcomes: { greet: 'error', stop: 'not-run' },
    observed: /nothing listens on PORT=\d+, and the process never rests: an endless loop\?$/,
    observedJa: /無限ループ/,
  },
  {
    name: 'eats-memory',
    outcomes: { greet: 'error', stop: 'not-run' },
    observed: /^the process ended \(ended by the harness: it used more than 1 GB of memory\)$/,
    observedJa: /メモリが1GBを超えた/,
  },
  {
    name: 'floods-without-end',
    outcomes: { greet: 'error', stop: 'not-run' },
    observed: /^the process ended \(ended by the harness: it wrote more than 512 MB of log\)$/,
    observedJa: /ログが512MBを超えた/,
  },
  {
    name: 'answers-without-end',
    outcomes: { greet: 'fail', stop: 'not-run' },
    observed:
      /^(an answer of more than 64 MB, not read to its end|half an answer, and no more within 2000 ms)$/,
    observedJa: /^(64MBを超える応答|応答の途中で止まり)/,
  },
  {
    name: 'ignores-sigterm',
    outcomes: { greet: 'pass', stop: 'fail' },
    observed: /^it still runs 2000 ms later$/,
    observedJa: /^2000ミリ秒たっても動いている$/,
  },
  {
    name: 'leaves-a-grandchild',
    outcomes: { greet: 'pass', stop: 'error' },
    observed:
      /^the process ended \(exit status 1: Error: listen EADDRINUSE: address already in use 127\.0\.0\.1:\d+\)$/,
    observedJa: /EADDRINUSE/,
  },
  {
    name: 'answers-html',
    outcomes: { greet: 'fail', stop: 'not-run' },
    observed: /^200 <html><body>It works!<\/body><\/html>$/,
    observedJa: /^200 <html>/,
  },
  {
    name: 'half-a-body',
    outcomes: { greet: 'fail', stop: 'not-run' },
    observed: /^half an answer, and no more within 2000 ms$/,
    observedJa: /^応答の途中で止まり/,
  },
  {
    name: 'crashes-on-third',
    whole: true,
    outcomes: { greet: 'fail', stop: 'fail' },
    observed: /^server ended by itself \(exit status 1: Error: three is a crowd\)$/,
    observedJa: /^serverが自分で終了した（終了コード1：Error: three is a crowd）$/,
  },
  {
    name: 'deletes-its-folder',
    outcomes: { greet: 'pass', stop: 'error' },
    observed: /^the process ended \(the folder that it runs in has been deleted\)$/,
    observedJa: /実行フォルダーが削除されている/,
  },
  {
    name: 'opens-500-connections',
    whole: true,
    outcomes: { greet: 'fail', stop: 'fail' },
    observed: /^500 \{"error":"database_unavailable"\}$/,
    observedJa: /^500/,
  },
  {
    name: 'a missing file',
    made: (dir) => rmSync(join(dir, 'src/server.ts')),
    outcomes: { greet: 'error', stop: 'not-run' },
    observed:
      /^the process ended \(exit status 1: Error \[ERR_MODULE_NOT_FOUND\]: Cannot find module 'src\/server\.ts'\)$/,
    observedJa: /src\/server\.ts/,
  },
  {
    name: 'a file that leads nowhere',
    made: (dir) => {
      writeFileSync(join(dir, 'src/server.ts'), "import './settings.ts'\n")
      symlinkSync('/nowhere/settings.ts', join(dir, 'src/settings.ts'))
    },
    outcomes: { greet: 'error', stop: 'not-run' },
    observed: /Cannot find module '.*settings\.ts'/,
    observedJa: /settings\.ts/,
  },
  {
    name: 'a folder in place of a file',
    made: (dir) => {
      rmSync(join(dir, 'src/server.ts'))
      mkdirSync(join(dir, 'src/server.ts'))
    },
    outcomes: { greet: 'error', stop: 'not-run' },
    observed: /^the process ended \(exit status 1: Error/,
    observedJa: /終了コード1/,
  },
  {
    name: 'a folder in place of schema.sql',
    made: (dir) => mkdirSync(join(dir, 'schema.sql')),
    outcomes: { greet: 'error', stop: 'error' },
    observed: /^it can’t be read \(EISDIR\)$/,
    observedJa: /^読み取れない/,
  },
  {
    name: 'a schema that Postgres refuses',
    made: (dir) =>
      writeFileSync(join(dir, 'schema.sql'), 'CREATE TABLE a (id int);\nCREATE TABEL b (id int);\n'),
    outcomes: { greet: 'error', stop: 'error' },
    observed: /^schema\.sql:2: syntax error at or near "TABEL"$/,
    observedJa: /^schema\.sql:2/,
  },
  {
    name: 'a lab.json that is no JSON',
    made: (dir) => writeFileSync(join(dir, 'lab.json'), '{ roles: '),
    outcomes: { greet: 'error', stop: 'error' },
    observed: /^it is no JSON: /,
    observedJa: /^JSONになっていない/,
  },
  {
    name: 'a lab.json that names a program which is not there',
    made: (dir) => writeFileSync(join(dir, 'lab.json'), '{ "roles": { "server": ["no-such-program"] } }'),
    outcomes: { greet: 'error', stop: 'not-run' },
    observed: /^the process ended \(there is no program no-such-program\)$/,
    observedJa: /プログラムno-such-programがない/,
  },
]

/** Beside a step's limit: start and clean-up on a machine that others use, too. */
const GRACE = 3000

let grading: Grading

beforeAll(async () => {
  grading = await Grading.start('01', { WORKBOOK_LANES: '1' })
})
afterAll(async () => {
  await grading?.close()
})

/** The folder of a subject: as it stands in `subjects/`, or the solution changed. */
function folder(name: string, made?: (dir: string) => void): string {
  const dir = join(grading.home, name.replaceAll(' ', '-'))
  cpSync(made ? grading.solution : join(import.meta.dirname, 'subjects', name), dir, { recursive: true })
  made?.(dir)
  return dir
}

function firstFailure(steps: StepVerdict[]): NonNullable<StepVerdict['failure']> {
  const step = steps.find(({ outcome }) => outcome !== 'pass')
  expect(step?.failure, 'a failure is told').toBeDefined()
  return step!.failure!
}

describe('a bad subject gets its verdict, and the next one is not hurt', () => {
  afterEach(async () => {
    expect(grading.left(), 'processes left').toEqual([])
    const { verdict } = await grading.grade(grading.solution, { order: ['greet'] })
    expect(verdict.status, JSON.stringify(firstNotPassed(verdict.steps))).toBe('pass')
  })

  const firstNotPassed = (steps: StepVerdict[]): unknown =>
    steps
      .map((step) => [step.id, step.outcome, step.failure?.observed.en])
      .find(([, outcome]) => outcome !== 'pass')

  test.each(SUBJECTS)(
    '$name',
    async ({ name, made, outcomes, whole = false, limit = 15_000, observed, observedJa }) => {
      const dir = folder(name, made)
      const { verdict } = await grading.grade(dir, { whole, limit })
      const failure = firstFailure(verdict.steps)
      expect(failure.observed.en).toMatch(observed)
      expect(failure.observed.ja).toMatch(observedJa)
      for (const { id, outcome } of verdict.steps) {
        expect(outcome, id).toMatch(new RegExp(`^(${outcomes[id as 'greet' | 'stop']})$`))
      }
      for (const text of [failure.test, failure.when, failure.expected]) {
        expect(text.en).not.toBe('')
        expect(text.ja).not.toBe('')
      }
      for (const step of verdict.steps) expect(step.durationMs).toBeLessThan(limit + GRACE)
      expect(existsSync(dir), 'the learner’s own folder').toBe(true)
    },
  )

  test('200 MB of log: read and thrown away, the service is graded by what it does', async () => {
    const { verdict } = await grading.grade(folder('floods-its-log'))
    expect(firstNotPassed(verdict.steps)).toBeUndefined()
    expect(grading.evidence('server.log').length).toBeLessThan(5 * 1024 * 1024)
  })
})

test('a subject that changes the tests has not passed, and what it changed is named', async () => {
  const tests = join(grading.labs, 'labs/01-tiny/tests')
  const dir = folder('writes-to-the-tests')
  writeFileSync(join(dir, 'tests-folder'), tests)
  const { verdict } = await grading.grade(dir)
  expect(verdict.status).not.toBe('pass')
  const failure = firstFailure(verdict.steps.filter(({ outcome }) => outcome === 'unknown'))
  expect(failure.observed.en).toBe('changed during the run: labs/01-tiny/tests/greet.test.ts')
  expect(failure.observed.ja).toBe('実行中に変更された：labs/01-tiny/tests/greet.test.ts')
  expect(failure.remedy?.en).toContain('git checkout -- labs checks')
  expect(failure.remedy?.ja).toContain('git checkout -- labs checks')
  cpSync(join(import.meta.dirname, 'labs/labs/01-tiny/tests'), tests, { recursive: true })
  expect((await grading.grade(grading.solution)).verdict.status).toBe('pass')
})
