import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { command, http, startCommand, startRole, type StartedRole } from '../index.ts'
import { connect } from '../context.ts'
import { StepFailure, type Finding } from '../failure.ts'
import { sweepOwn } from '../process/owned.ts'
import { isAlive, processInfo } from '../process/table.ts'
import { scopes } from '../scope.ts'
import { contextOf, hostWithout } from './stage.ts'

const SUBJECT = join(import.meta.dirname, 'subject')

beforeEach(async () => {
  await connect(hostWithout(contextOf(SUBJECT)))
  scopes.openTest()
})
afterEach(() => scopes.closeTest())
afterAll(async () => {
  await sweepOwn()
})

const stateOf = (pid: number): string | undefined => processInfo(pid)?.state

/** The finding that this ends in. */
async function findingOf(work: Promise<unknown>): Promise<Finding> {
  const error = await work.then(
    () => undefined,
    (failure: unknown) => failure,
  )
  expect(error).toBeInstanceOf(StepFailure)
  return (error as StepFailure).finding
}

/** What this server has left running, by its request. */
async function left(server: StartedRole, kind: 'child' | 'daemon' | 'stranger'): Promise<number> {
  const { body } = await server.get(`/${kind}`)
  expect(isAlive(body)).toBe(true)
  return body
}

test('an instance has a machine of its own: folder, temporary folder, settings, and nothing of the reader’s', async () => {
  process.env.PGHOST = 'leaks'
  const [one, two] = await Promise.all([
    startRole('server', { name: 'server-1', env: { EXTRA: 7, NOT_SET: undefined } }),
    startRole('server', { name: 'server-2' }),
  ])
  delete process.env.PGHOST
  const [a, b] = [(await one.get('/who')).body, (await two.get('/who')).body]
  expect(a.name).toBe('server-1')
  expect(a.env).toMatchObject({ PORT: String(one.port), EXTRA: '7', NODE_ENV: 'production' })
  expect(a.env).not.toHaveProperty('NOT_SET')
  expect(a.env).not.toHaveProperty('PGHOST')
  expect(new Set([a.cwd, b.cwd, a.tmp, b.tmp, SUBJECT]).size).toBe(5)
  expect(a.pid).toBe(one.pid)

  await one.get('/note')
  expect((await one.get('/noted')).body).toEqual([true, false])
  expect((await two.get('/noted')).body).toEqual([false, false])
  await one.restart()
  expect((await one.get('/noted')).body).toEqual([true, false])
  expect(existsSync(join(SUBJECT, 'note'))).toBe(false)
})

test('the next instance of a name finds an empty disk', async () => {
  const first = await startRole('server')
  await first.get('/note')
  await scopes.closeTest()
  scopes.openTest()
  const second = await startRole('server')
  expect((await second.get('/noted')).body).toEqual([false, false])
})

test('a kill takes children along, also those that broke away', async () => {
  const server = await startRole('server')
  const pids = [await left(server, 'child'), await left(server, 'daemon'), await left(server, 'stranger')]
  expect(new Set(server.pids())).toEqual(new Set([server.pid, ...pids]))
  await server.kill()
  expect(pids.filter((pid) => isAlive(pid))).toEqual([])
  expect(await server.get('/health')).toMatchObject({ status: 0 })
  expect(server.exit?.signal).toBe('SIGKILL')
  expect(server.diedByItself).toBeUndefined()
})

test('what a role leaves behind when it ends by itself goes with the test', async () => {
  const server = await startRole('server')
  const pids = [await left(server, 'daemon'), await left(server, 'stranger')]
  await server.stop()
  await server.start()
  expect(pids.every((pid) => isAlive(pid))).toBe(true)
  await scopes.closeTest()
  expect(pids.filter((pid) => isAlive(pid))).toEqual([])
  scopes.openTest()
})

test('a freeze stops all children and thaws them; connections stay open', async () => {
  const server = await startRole('server')
  const pids = [
    server.pid,
    await left(server, 'child'),
    await left(server, 'daemon'),
    await left(server, 'stranger'),
  ]
  await server.freeze()
  expect(pids.map(stateOf)).toEqual(['T', 'T', 'T', 'T'])
  const answer = server.get('/who')
  expect(
    await Promise.race([
      answer.then(() => 'answered'),
      new Promise((resolve) => setTimeout(resolve, 100, 'silent')),
    ]),
  ).toBe('silent')
  await server.thaw()
  expect(pids.map(stateOf)).not.toContain('T')
  expect((await answer).status).toBe(200)
})

test('a frozen role can be killed and restarted on the same port', async () => {
  const server = await startRole('server')
  const { url, pid } = server
  await server.freeze()
  await server.restart({ EXTRA: 'now' })
  expect(server.url).toBe(url)
  expect(server.pid).not.toBe(pid)
  expect((await http(`${url}/who`)).body.env.EXTRA).toBe('now')
})

test('SIGTERM: how it ended, and that the test asked for it', async () => {
  const server = await startRole('server')
  expect(await server.stop()).toMatchObject({ code: 0, signal: null })
  expect(server.lines).toContain('asked to stop')
  expect(server.diedByItself).toBeUndefined()
})

test('SIGTERM ignored is a failure in both languages', async () => {
  const server = await startRole('stubborn')
  const finding = await findingOf(server.stop({ within: 100 }))
  expect(finding).toMatchObject({ outcome: 'fail' })
  expect(finding.expected.en).toBe('stubborn exits after SIGTERM')
  expect(finding.expected.ja).toMatch(/SIGTERM/)
  expect(finding.observed).toEqual({ en: 'it still runs 100 ms later', ja: '100ミリ秒たっても動いている' })
})

test('a role that ends by itself is noticed, with its status', async () => {
  const server = await startRole('server')
  expect((await server.get('/exit')).broken?.en).toMatch(/reset|refused/)
  expect(await server.exited).toMatchObject({ code: 3 })
  expect(server.diedByItself).toMatchObject({ code: 3 })
})

test('a role that breaks at once is an error that names its last words', async () => {
  const finding = await findingOf(startRole('broken', { name: 'server-1' }))
  expect(finding.outcome).toBe('error')
  expect(finding.when.en).toBe('starting server-1 (src/broken.ts)')
  expect(finding.expected.en).toBe('GET /health answers 200')
  expect(finding.observed).toEqual({
    en: 'the process ended (exit status 1: TypeError: the bridge is out)',
    ja: 'プロセスが終了した（終了コード1：TypeError: the bridge is out）',
  })
})

test('its last lines stand in the evidence, with the learner’s own paths', async () => {
  const server = await startRole('broken', { ready: false })
  await server.exited
  await server.said()
  expect(server.tail()).toContain('about to break')
  expect(server.tail()).toContain('src/broken.ts:2')
})

test('a file that is missing', async () => {
  const finding = await findingOf(startRole('nothing'))
  expect(finding.observed.en).toBe(
    "the process ended (exit status 1: Error [ERR_MODULE_NOT_FOUND]: Cannot find module 'src/nothing.ts')",
  )
})

test('a role that never listens, one that never rests, one elsewhere, one that is not healthy', async () => {
  /** Given up shortly after its first line: the start itself may take long on a busy machine. */
  const observe = async (role: string): Promise<string> => {
    const instance = await startRole(role, { ready: false })
    await vi.waitUntil(() => instance.lines.length > 0, 10_000)
    return (await findingOf(instance.ready(200))).observed.en
  }
  expect(await observe('never')).toMatch(/^timed out after \d+ ms: nothing listens on PORT=\d+$/)
  expect(await observe('spin')).toMatch(
    /^timed out after \d+ ms: nothing listens on PORT=\d+, and the process never rests: an endless loop\?$/,
  )
  expect(await observe('elsewhere')).toMatch(
    /^timed out after \d+ ms: it listens on port \d+, not on PORT=\d+$/,
  )
  expect(await observe('unhealthy')).toMatch(
    /^timed out after \d+ ms: GET \/health says: 503 \{"status":"starting"\}$/,
  )
})

test('a command role: arguments, lines, status', async () => {
  expect(await command('count', { args: ['2', '4'] })).toMatchObject({ code: 4, lines: ['line 1', 'line 2'] })
})

test('a command role under way can be signalled and killed', async () => {
  const running = await startCommand('never')
  expect(isAlive(running.pid)).toBe(true)
  running.signal('SIGTERM')
  expect(await running.ended()).toMatchObject({ signal: 'SIGTERM' })
  const other = await startCommand('never', { name: 'other' })
  await other.kill()
  expect(isAlive(other.pid)).toBe(false)
})
