import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import { command, startCommand, startRole } from '../index.ts'
import { connect, lab } from '../context.ts'
import { sweepOwn } from '../process/owned.ts'
import { isAlive } from '../process/table.ts'
import { prepareStandbys, standbyPids } from '../role/standby.ts'
import { scopes } from '../scope.ts'
import { contextOf, hostWithout } from './stage.ts'

const SUBJECT = join(import.meta.dirname, 'subject')
const { machines } = contextOf(SUBJECT)
const one = { dir: machines, count: 1, packages: ['hono'], load: Infinity }
const SOON = { timeout: 5000 }

beforeEach(async () => {
  await connect(hostWithout(contextOf(SUBJECT)))
  scopes.openTest()
})
afterEach(() => scopes.closeTest())
afterAll(async () => {
  await sweepOwn()
})

test('a process that waited is a role like any other: settings, machine, age, main module', async () => {
  prepareStandbys(one)
  const [waiting] = standbyPids()
  const role = await startRole('server', { name: 'server-1', env: { EXTRA: 7 } })
  expect(role.pid).toBe(waiting)
  const { dir, tmp } = role.machine
  const { body: who } = await role.get('/who')
  expect(who).toMatchObject({ name: 'server-1', pid: role.pid, cwd: dir, tmp })
  expect(who.env).toMatchObject({ PORT: String(role.port), EXTRA: '7', NODE_ENV: 'production' })
  expect(Object.keys(who.env).filter((name) => /STANDBY|STRIPPED/.test(name))).toEqual([])
  const { body: life } = await role.get('/life')
  expect(life).toMatchObject({ main: true, script: join(dir, 'src/server.ts') })
  expect(role.lines).toContain('GET /who')
  await vi.waitUntil(() => !readdirSync(machines).some((name) => name.startsWith('standby')), SOON)
})

test('the time that it waited is not counted as its life', async () => {
  prepareStandbys(one)
  await pause(700) // passing time is what this is about
  const begun = performance.now()
  const role = await startRole('server')
  const { body } = await role.get('/life')
  expect(body.uptime * 1000).toBeLessThanOrEqual(performance.now() - begun)
})

test('a restart finds its machine as it was; what was taken is replaced', async () => {
  prepareStandbys(one)
  const role = await startRole('server')
  await role.get('/note')
  await role.kill()
  const [next] = await vi.waitUntil(() => standbyPids().length === 1 && standbyPids(), SOON)
  await role.start()
  expect(role.pid).toBe(next)
  expect((await role.get('/who')).body.cwd).toBe(role.machine.dir)
  expect((await role.get('/noted')).body[0]).toBe(true)
})

test('what leaves it is found again, and ends with it', async () => {
  prepareStandbys(one)
  const role = await startRole('server')
  const left = [await role.get('/child'), await role.get('/daemon'), await role.get('/stranger')]
  const pids = left.map(({ body }) => body as number)
  expect(role.pids()).toEqual(expect.arrayContaining(pids))
  await role.kill()
  expect(pids.filter((pid) => isAlive(pid))).toEqual([])
})

test('a command becomes one, too, and gets its arguments', async () => {
  prepareStandbys(one)
  const [waiting] = standbyPids()
  const started = await startCommand('count', { args: ['2', '3'] })
  expect(started.pid).toBe(waiting)
  const plain = await command('count', { args: ['2', '3'], name: 'plain' })
  const { code, lines } = await started.ended()
  expect({ code, lines }).toEqual({ code: plain.code, lines: plain.lines })
  expect(plain.code).toBe(3)
  await vi.waitUntil(() => standbyPids().length > 0, SOON)
})

test('as many wait as were started at once', async () => {
  prepareStandbys(one)
  await Promise.all([startRole('server'), startRole('server'), startRole('server')])
  await vi.waitUntil(() => standbyPids().length === 3, SOON)
})

test('a role with a command of its own, or without a file, does not become one', async () => {
  prepareStandbys(one)
  const waiting = standbyPids()
  lab().commands.server = ['true']
  await expect(startRole('server')).rejects.toThrow()
  await expect(startRole('nobody')).rejects.toThrow()
  delete lab().commands.server
  expect(standbyPids()).toEqual(waiting)
})

test('it ends with the thread that could launch it', async () => {
  const module = JSON.stringify(new URL('../role/standby.ts', import.meta.url).href)
  const code = `import(${module}).then((standby) => {
    standby.prepareStandbys(${JSON.stringify(one)})
    require('node:worker_threads').parentPort.postMessage(standby.standbyPids())
  })`
  const thread = new Worker(code, { eval: true })
  const [[pid]] = (await once(thread, 'message')) as [[number]]
  expect(isAlive(pid)).toBe(true)
  await thread.terminate()
  await vi.waitUntil(() => !isAlive(pid), SOON)
})
