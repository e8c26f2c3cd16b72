import { execFile } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeEach, expect, test, vi } from 'vitest'
import type { Lab } from './labs.ts'
import type { Outcome, Progress, Verdict } from './verdict.ts'

const workspace = mkdtempSync(join(tmpdir(), 'progress-'))
vi.stubEnv('WORKBOOK_WORKSPACE', workspace)
const { isGreen, openHint, readProgress, recordVerdict, surrender } = await import('./progress.ts')
const file = join(workspace, 'progress.json')
const run = promisify(execFile)

beforeEach(() => {
  rmSync(workspace, { recursive: true, force: true })
})
afterAll(() => rmSync(workspace, { recursive: true, force: true }))

const stored = (): Progress => JSON.parse(readFileSync(file, 'utf8')) as Progress
const names = (): string[] => readdirSync(workspace).filter((name) => name !== '.runs')

function verdict(outcomes: Record<string, Outcome>, over: Partial<Verdict> = {}): Verdict {
  const worst = (['fail', 'error', 'unknown'] as const).find((one) => Object.values(outcomes).includes(one))
  return {
    version: 1,
    lab: 'tiny',
    chapter: '01-tiny',
    title: { en: 'Tiny', ja: 'Tiny' },
    subject: 'workspace',
    runtime: { kind: 'native', why: { en: '', ja: '' }, versions: {} },
    seed: 1,
    labVersion: 'v1',
    startedAt: '2026-01-02T03:04:05.678Z',
    durationMs: 1,
    status: worst ?? 'pass',
    points: { earned: 0, possible: 10 },
    steps: Object.entries(outcomes).map(([id, outcome]) => ({
      id,
      title: { en: id, ja: id },
      points: 5,
      guard: false,
      section: id,
      outcome,
      durationMs: 1,
      tests: [],
    })),
    ...over,
  }
}

test('a pass stays the best; the last run is what it was', async () => {
  await recordVerdict(verdict({ a: 'pass', b: 'fail' }))
  await recordVerdict(verdict({ a: 'fail', b: 'not-run' }))
  const { tiny } = stored().labs
  expect(Object.keys(tiny!.best)).toEqual(['a'])
  expect(tiny!.last).toMatchObject({ status: 'fail', steps: { a: 'fail', b: 'not-run' } })
  expect(tiny!.last.run).toBe('.runs/01-tiny/2026-01-02T03-04-05.678')
})

test('what could not be decided takes nothing away', async () => {
  await recordVerdict(verdict({ a: 'pass', b: 'fail' }))
  await recordVerdict(verdict({ a: 'unknown', b: 'not-run' }))
  expect(stored().labs.tiny?.last.status).toBe('fail')
})

test('only the learner’s own folder counts', async () => {
  await recordVerdict(verdict({ a: 'pass' }, { subject: 'solution' }))
  expect(existsSync(file)).toBe(false)
})

test('a newer edition of the lab opens it again, and says so until its steps pass', async () => {
  await recordVerdict(verdict({ a: 'pass', b: 'pass' }))
  await recordVerdict(verdict({ a: 'pass', b: 'fail' }, { labVersion: 'v2' }))
  expect(stored().labs.tiny).toMatchObject({ labVersion: 'v2', reopened: { steps: ['b'] } })
  await recordVerdict(verdict({ a: 'pass', b: 'pass' }, { labVersion: 'v2' }))
  expect(stored().labs.tiny?.reopened).toBeUndefined()
})

test('green is every step passed, in this edition', () => {
  const lab = {
    id: 'tiny',
    dir: '/nowhere',
    checks: '/nowhere',
    spec: { steps: [{ id: 'a' }] },
  } as unknown as Lab
  expect(isGreen(lab, { version: 1, labs: {} })).toBe(false)
})

test('hints and surrender are remembered, side by side with verdicts', async () => {
  await openHint('tiny', 'a', 2)
  await openHint('tiny', 'a', 1)
  await surrender('tiny')
  await recordVerdict(verdict({ a: 'pass' }))
  expect(stored().labs.tiny).toMatchObject({ hints: { a: 2 }, best: { a: { outcome: 'pass' } } })
  expect(stored().labs.tiny?.surrendered).toMatch(/^\d{4}-/)
})

test.each([
  ['truncated', '{"version":1,"labs":{"tiny":{"be'],
  ['empty', ''],
  ['not JSON', 'hello'],
  ['another shape', '{"version":1,"labs":[]}'],
  ['another shape inside', '{"version":1,"labs":{"tiny":{"best":3}}}'],
])('a file that is %s is set aside and re-made from the last good copy', async (_, text) => {
  await recordVerdict(verdict({ a: 'pass' }))
  writeFileSync(file, text)
  const { progress, notices } = await readProgress()
  expect(progress.labs.tiny?.best.a?.outcome).toBe('pass')
  expect(stored()).toEqual(progress)
  const aside = names().find((name) => name.startsWith('progress.damaged-'))!
  expect(readFileSync(join(workspace, aside), 'utf8')).toBe(text)
  expect(notices[0]!.en).toContain(`It is kept as ${aside}; the copy of`)
  expect(notices[0]!.ja).toContain('控えから作り直しました')
})

test('a damaged file without a copy begins anew', async () => {
  await recordVerdict(verdict({ a: 'pass' }))
  rmSync(join(workspace, '.runs'), { recursive: true })
  writeFileSync(file, '{')
  const { progress, notices } = await readProgress()
  expect(progress.labs).toEqual({})
  expect(notices[0]!.en).toContain('a new one is begun')
})

test('a read-only file is left as it is', async () => {
  await recordVerdict(verdict({ a: 'pass' }))
  const before = readFileSync(file, 'utf8')
  chmodSync(file, 0o444)
  const { notices, recording, progress } = await recordVerdict(verdict({ a: 'pass', b: 'pass' }))
  expect(recording).toBe(false)
  expect(progress.labs.tiny?.best.a?.outcome).toBe('pass')
  expect(notices[0]!.en).toContain('the verdict stands, but is not recorded')
  expect(readFileSync(file, 'utf8')).toBe(before)
  expect(statSync(file).mode & 0o777).toBe(0o444)
})

test('a file of a newer edition is left as it is', async () => {
  await recordVerdict(verdict({ a: 'pass' }))
  writeFileSync(file, '{"version":2,"later":true}')
  const { notices, recording } = await recordVerdict(verdict({ a: 'pass' }))
  expect(recording).toBe(false)
  expect(notices[0]!.en).toContain('written by a newer edition')
  expect(readFileSync(file, 'utf8')).toBe('{"version":2,"later":true}')
  expect(names()).toEqual(['progress.json'])
})

test('commands that record at the same time lose nothing', async () => {
  const code = `
    const { openHint } = await import(${JSON.stringify(join(import.meta.dirname, 'progress.ts'))})
    for (let i = 0; i < 25; i++) await openHint('lab-' + process.argv[1], 'step-' + i, 1)`
  const env = { ...process.env, WORKBOOK_WORKSPACE: workspace }
  const writers = ['a', 'b', 'c'].map((name) =>
    run(process.execPath, ['--input-type=module', '-e', code, name], { env, cwd: import.meta.dirname }),
  )
  const done = Promise.all(writers)
  let torn = 0
  const look = setInterval(() => {
    if (!existsSync(file)) return
    try {
      stored()
    } catch {
      torn++
    }
  }, 1)
  await done
  clearInterval(look)
  expect(torn).toBe(0)
  expect(Object.values(stored().labs).map(({ hints }) => Object.keys(hints).length)).toEqual([25, 25, 25])
})
