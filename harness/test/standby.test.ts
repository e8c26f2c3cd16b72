import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startRole } from '../index.ts'
import { connect, lab } from '../context.ts'
import { sweepOwn } from '../process/owned.ts'
import { isAlive } from '../process/table.ts'
import { prepareStandbys, takeStandby, type Standby } from '../role/standby.ts'
import { scopes } from '../scope.ts'
import { contextOf, hostWithout } from './stage.ts'

const SUBJECT = join(import.meta.dirname, 'subject')
const { machines } = contextOf(SUBJECT)
const one = { machines, roles: ['server'], packages: ['hono'], load: Infinity }

beforeEach(async () => {
  await connect(hostWithout(contextOf(SUBJECT)))
  scopes.openTest()
})
afterEach(() => scopes.closeTest())
afterAll(async () => {
  await sweepOwn()
})

test('a process that waited is a role like any other: settings, machine, age, main module', async () => {
  await prepareStandbys(one)
  const role = await startRole('server', { name: 'server-1', env: { EXTRA: 7 } })
  expect(role.machine.dir).toContain('standby-server')
  const { body: who } = await role.get('/who')
  expect(who).toMatchObject({ name: 'server-1', pid: role.pid, cwd: role.machine.dir })
  expect(who.env).toMatchObject({ PORT: String(role.port), EXTRA: '7', NODE_ENV: 'production' })
  expect(who.env).not.toHaveProperty('WORKBOOK_STANDBY')
  const { body: life } = await role.get('/life')
  expect(life).toMatchObject({ main: true, script: join(role.machine.dir, 'src/server.ts') })
  expect(role.lines).toContain('GET /who')
})

test('the time that it waited is not counted as its life', async () => {
  await prepareStandbys(one)
  await pause(700) // passing time is what this is about
  const begun = performance.now()
  const role = await startRole('server')
  const { body } = await role.get('/life')
  expect(body.uptime * 1000).toBeLessThanOrEqual(performance.now() - begun)
})

test('it serves one start, and another takes its place; a restart is an ordinary start', async () => {
  await prepareStandbys(one)
  const first = await startRole('server', { name: 'server-1' })
  const pid = first.pid
  await first.restart()
  expect(first.pid).not.toBe(pid)
  expect((await first.get('/who')).body.cwd).toBe(first.machine.dir)
  const next = await vi.waitUntil(() => takeStandby('server'))
  expect(next.machine.dir).not.toBe(first.machine.dir)
  next.child.kill('SIGKILL')
})

test('as many wait as were started at once', async () => {
  await prepareStandbys(one)
  await Promise.all([startRole('server'), startRole('server'), startRole('server')])
  const waiting: Standby[] = []
  await vi.waitUntil(() => {
    const standby = takeStandby('server')
    if (standby) waiting.push(standby)
    return waiting.length === 3
  })
  for (const standby of waiting) standby.child.kill('SIGKILL')
})

test('a role with a command of its own does not become one', async () => {
  await prepareStandbys(one)
  lab().commands.server = ['true']
  expect(takeStandby('server')).toBeUndefined()
  delete lab().commands.server
  const standby = takeStandby('server')!
  expect(standby.isAlive).toBe(true)
  standby.child.kill('SIGKILL')
  await vi.waitUntil(() => !standby.isAlive)
})

test('it ends when nobody can launch it any more', async () => {
  await prepareStandbys(one)
  const { child } = takeStandby('server')!
  child.stdio[3]!.destroy()
  await vi.waitUntil(() => child.exitCode !== null, { timeout: 5000 })
  expect(child.exitCode).toBe(0)
  expect(isAlive(child.pid!)).toBe(false)
})
