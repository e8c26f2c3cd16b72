import { expect, test } from 'vitest'
import {
  conninfo,
  eventually,
  http,
  matrix,
  powerDevice,
  renew,
  say,
  type PowerDevice,
  type StartedPostgres,
} from '../index.ts'
import { useTopology } from './stage.ts'

useTopology({ pg: { kind: 'replicated', replicas: 2, far: true } })

const ask = async (device: PowerDevice, path: string, body?: object) =>
  (await http(device.url + path, { method: 'POST', body, within: 20_000 })).status

async function cluster() {
  const { primary, replicas } = await renew('pg', ['b', 'c', 'a'])
  const nodes = [primary, ...replicas]
  const wires = await matrix(['a', 'b', 'c'], nodes)
  const device = await powerDevice({
    nodes,
    conninfo: (node, from) => `${conninfo(wires.link(node, from))} application_name=${node}`,
  })
  return { primary, replicas, wires, device }
}

test('nodes by the names that were drawn; a dead one comes back as a standby of another', async () => {
  const { primary, replicas, wires, device } = await cluster()
  expect([primary, ...replicas].map(({ name }) => name)).toEqual(['b', 'c', 'a'])
  const [c] = replicas as [StartedPostgres, StartedPostgres]
  expect(await ask(device, '/nodes/b/reseed', { from: 'c' })).toBe(409)
  await primary.freeze()
  expect(await ask(device, '/nodes/b/reseed', { from: 'c' })).toBe(409)
  device.refuse('fence', 1)
  expect(await ask(device, '/nodes/b/fence')).toBe(503)
  expect(await ask(device, '/nodes/b/fence')).toBe(204)
  expect(await ask(device, '/nodes/b/fence')).toBe(204)
  await expect(primary.sql('SELECT 1')).rejects.toThrow()
  await c.promote()
  await c.sql('CREATE TABLE rows (n int)')
  expect(await ask(device, '/nodes/b/fence')).toBe(204)
  expect(await ask(device, '/nodes/b/reseed', { from: 'c' })).toBe(204)
  expect(await primary.inRecovery()).toBe(true)
  expect(wires.link('b', 'c').counts.open).toBe(1)
  await c.sql('INSERT INTO rows VALUES (1)')
  await eventually(say('the row', '行'), async () => (await primary.sql('SELECT n FROM rows')).length, 1)
  const [row] = await c.sql("SELECT application_name FROM pg_stat_replication WHERE state = 'streaming'")
  expect(row?.application_name).toBe('b')
  expect(device.asked('fence').map(({ status, writable }) => [status, writable])).toEqual([
    [503, []],
    [204, []],
    [204, []],
    [204, ['c']],
  ])
  expect(device.asked('reseed').map(({ status, from }) => [status, from])).toEqual([
    [409, 'c'],
    [409, 'c'],
    [204, 'c'],
  ])
})

test('an answer that is held: what was asked for is done', async () => {
  const { primary, device } = await cluster()
  device.hold()
  const answer = ask(device, '/nodes/b/fence')
  await eventually(say('the fence', '隔離'), () => device.calls[0]?.status, 204)
  await expect(primary.sql('SELECT 1')).rejects.toThrow()
  device.release()
  expect(await answer).toBe(204)
})

test('the lab’s data in the server’s own database', async () => {
  const { primary } = await cluster()
  const db = await primary.databaseInPlace()
  expect(db.name).toBe('postgres')
  const [row] = await db.sql(
    "SELECT pg_get_userbyid(datdba) AS owner FROM pg_database WHERE datname = 'postgres'",
  )
  expect(row?.owner).toBe('app')
})
