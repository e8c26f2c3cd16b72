import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Progress, Verdict } from '../checks/grader/verdict.ts'
import { environmentHas, processTable } from '../harness/process/table.ts'
import { eventuallyTrue } from '../harness/wait.ts'
import { command, makeStage, type Running, type Stage } from './testing.ts'

let stage: Stage
beforeEach(() => {
  stage = makeStage()
})
afterEach(() => stage.remove())

async function ended(running: Running): Promise<{ status: number | null; out: string; err: string }> {
  const status = await running.exit
  return { status, out: running.out(), err: running.err() }
}
const progress = (): Progress =>
  JSON.parse(readFileSync(join(stage.workspace, 'progress.json'), 'utf8')) as Progress

function begin(kind: 'starter' | 'solution'): void {
  mkdirSync(join(stage.workspace, '01-tiny/src'), { recursive: true })
  stage.save(kind)
}

test('a failed step is told with what was done, expected and seen, and how to repeat it', async () => {
  const { status, out } = await ended(command(stage, ['check', '1', '--subject', 'starter']))
  expect(status).toBe(1)
  expect(out).toMatch(/^native servers: LAB_RUNTIME=native\n/)
  expect(out).toMatch(/✗ fail +hello +Answer hello +0\/60/)
  expect(out).toMatch(/✓ pass +health/)
  expect(out).toMatch(/ {2}when +GET \/ is sent\n {2}expected +200 .*hello.*\n {2}observed +501/)
  expect(out).toMatch(/hint 1\/3 +What does it answer\?/)
  expect(out).toContain('server | asked for /')
  expect(out).toMatch(/repeat: npm run check 01 -- --subject starter --seed \d+/)
  expect(out).not.toContain(stage.dir)
  expect(existsSync(join(stage.workspace, 'progress.json'))).toBe(false)
})

test('what passes exits with 0 and is recorded when it is the learner’s own', async () => {
  begin('solution')
  const { status, out } = await ended(command(stage, ['check', '--lang', 'ja']))
  expect(status).toBe(0)
  expect(out).toContain('✓ 合格  100点中100点 · 合格2')
  expect(progress().labs.tiny).toMatchObject({
    best: { hello: { outcome: 'pass' }, health: { outcome: 'pass' } },
    last: { status: 'pass', points: { earned: 100, possible: 100 } },
  })
})

test('--json writes one verdict for a named lab, a list otherwise, and nothing else', async () => {
  begin('solution')
  const one = await ended(command(stage, ['check', '01', '--json', '--seed', '7']))
  expect(JSON.parse(one.out)).toMatchObject({
    lab: 'tiny',
    status: 'pass',
    seed: 7,
  } satisfies Partial<Verdict>)
  const all = await ended(command(stage, ['check', '--json']))
  expect(JSON.parse(all.out)).toMatchObject([{ lab: 'tiny' }])
})

test('--junit writes the same for machines; --steps asks for a part', async () => {
  const file = join(stage.dir, 'report.xml')
  const { status } = await ended(
    command(stage, ['check', '01', '--subject', 'starter', '--steps', 'health', '--junit', file]),
  )
  expect(status).toBe(0)
  const xml = readFileSync(file, 'utf8')
  expect(xml).toContain('<testsuite name="01-tiny" tests="2" failures="0" errors="0" skipped="1"')
  expect(xml).toContain('<testcase classname="tiny.health" name="it is healthy"')
})

test('a damaged progress file is set aside, and the run goes on', async () => {
  begin('starter')
  writeFileSync(join(stage.workspace, 'progress.json'), '{"version":1,"labs":{"ti')
  const { status, err } = await ended(command(stage, ['check', '01']))
  expect(status).toBe(1)
  expect(err).toContain('workspace/progress.json was damaged. It is kept as progress.damaged-')
  expect(progress().labs.tiny?.last.status).toBe('fail')
})

test('two checks at once: the second says who is first, waits, and both are recorded', async () => {
  begin('solution')
  const first = command(stage, ['check', '01'])
  const second = command(stage, ['check', '01'])
  const results = await Promise.all([ended(first), ended(second)])
  expect(results.map(({ status }) => status)).toEqual([0, 0])
  expect(results.filter(({ err }) => err.includes('npm run check 01 (process'))).toHaveLength(1)
  expect(progress().labs.tiny?.last.status).toBe('pass')
})

test('SIGTERM in the middle ends all that was started', async () => {
  begin('starter')
  // Never healthy: the run waits for it until it is ended.
  writeFileSync(join(stage.workspace, '01-tiny/src/server.ts'), 'setInterval(() => {}, 1000)\n')
  const running = command(stage, ['check', '01'])
  const mark = `/${running.child.pid}-`
  const started = (): number[] =>
    processTable()
      .filter(({ pid, state }) => state !== 'Z' && pid !== running.child.pid && environmentHas(pid, mark))
      .map(({ pid }) => pid)
  await eventuallyTrue('its role to run', () => started().length > 0, { within: 20_000 })
  running.child.kill('SIGTERM')
  expect(await running.exit).toBe(143)
  expect(
    started().map(
      (pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8') + readFileSync(`/proc/${pid}/stat`, 'utf8'),
    ),
  ).toEqual([])
})

test.each([
  [['frob'], 'There is no command "frob".'],
  [['check', '9'], 'There is no lab "9".'],
  [['check', '01', '--frob'], 'check does not know "--frob".'],
  [['check', '01', '--seed', 'x'], '"x" is no seed.'],
  [['check', '01', '--steps', 'x'], '01-tiny has no step "x".'],
  [['check', '01', '--lang', 'fr'], 'There is no language "fr".'],
  [['check'], 'There is nothing to check yet.'],
])('%j is answered with what, why and one thing to do', async (args, what) => {
  const { status, err } = await ended(command(stage, args))
  expect(status).toBe(64)
  expect(err).toMatch(/^✗ .+\n {2}.+\n→ .+\n$/)
  expect(err).toContain(what)
})

test('a flag that npm kept for itself is noticed', async () => {
  const { status, err } = await ended(
    command(stage, ['check', '01', 'solution'], { npm_config_subject: 'true' }),
  )
  expect(status).toBe(64)
  expect(err).toContain('→ Run: npm run check -- --subject')
})
