import { Cluster } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import type { Topology } from '../lab.ts'
import { sweepOwn } from '../process/owned.ts'
import { slotRange } from '../redis-cluster.ts'
import { chooseRuntime } from '../runtime/choose.ts'
import { sqlOnce } from '../sql.ts'
import { StartedTopology, type NodeInfo } from '../topology.ts'
import { clientOf } from './redis-client.ts'

afterAll(async () => {
  await sweepOwn()
})

/** Starts a topology, looks at it, and ends it. */
async function withTopology(spec: Topology, look: (nodes: NodeInfo[]) => Promise<void>): Promise<void> {
  const topology = await StartedTopology.start(await chooseRuntime(), spec)
  try {
    const nodes = await topology.nodes()
    expect(new Set(nodes.map(({ port }) => port)).size).toBe(nodes.length)
    await look(nodes)
  } finally {
    await topology.close()
  }
}

test('what is ending starts nothing more, and what is coming up then still comes up', async () => {
  const topology = await StartedTopology.start(await chooseRuntime(), { redis: { kind: 'redis' } })
  try {
    const coming = topology.add('one-more', { kind: 'redis' })
    await topology.quiet()
    await topology.act('redis', 'kill')
    await topology.heal()
    await expect(topology.versions(), 'nobody has started it again').rejects.toThrow()
    await expect(topology.renew('redis')).rejects.toThrow('redis is not started any more')
    expect(await coming).toHaveLength(1)
  } finally {
    await topology.close()
  }
})

const names = (nodes: NodeInfo[]): string[] => nodes.map(({ name }) => name)
const notes = 'CREATE TABLE notes (text text); INSERT INTO notes VALUES (current_setting($$port$$))'

test('one Postgres: the superuser gets in, app may look but not rule', () =>
  withTopology({ pg: { kind: 'postgres' } }, async ([pg, ...more]) => {
    expect(more).toEqual([])
    expect(pg).toMatchObject({ name: 'pg', component: 'pg', kind: 'postgres', role: 'alone' })
    const [app] = await sqlOnce(
      pg!,
      'postgres',
      "SELECT rolsuper, pg_has_role(oid, 'pg_monitor', 'member') AS monitor FROM pg_roles WHERE rolname = 'app'",
    )
    expect(app).toEqual({ rolsuper: false, monitor: true })
  }))

test('settings of a lab are laid over the harness’s own', () =>
  withTopology({ pg: { kind: 'postgres', settings: { max_connections: 30 } } }, async ([pg]) => {
    const [row] = await sqlOnce(
      pg!,
      'postgres',
      "SELECT current_setting('max_connections') AS most, current_setting('synchronous_commit') AS sync",
    )
    expect(row).toEqual({ most: '30', sync: 'on' })
  }))

test('two independent Postgres: what one is told the other never hears', () =>
  withTopology({ 'pg-1': { kind: 'postgres' }, 'pg-2': { kind: 'postgres' } }, async ([one, two]) => {
    await sqlOnce(one!, 'postgres', 'CREATE TABLE only_here ()')
    const [row] = await sqlOnce(two!, 'postgres', "SELECT to_regclass('only_here') AS found")
    expect(row?.found).toBeNull()
  }))

test('a primary with two replicas: rows arrive, replicas refuse writes', () =>
  withTopology({ pg: { kind: 'replicated', replicas: 2 } }, async (nodes) => {
    expect(nodes.map(({ name, role }) => [name, role])).toEqual([
      ['pg', 'primary'],
      ['pg-replica-1', 'replica'],
      ['pg-replica-2', 'replica'],
    ])
    const [primary, ...replicas] = nodes
    await sqlOnce(primary!, 'postgres', 'SET synchronous_commit = on; CREATE TABLE arrives ()')
    const followers = await sqlOnce(
      primary!,
      'postgres',
      'SELECT application_name FROM pg_stat_replication ORDER BY 1',
    )
    expect(followers.map((row) => row.application_name)).toEqual(['pg-replica-1', 'pg-replica-2'])
    for (const replica of replicas) {
      await expect
        .poll(() => sqlOnce(replica, 'postgres', "SELECT to_regclass('arrives') AS found"))
        .toEqual([{ found: 'arrives' }])
      await expect(sqlOnce(replica, 'postgres', 'CREATE TABLE refused ()')).rejects.toThrow(
        /read-only transaction/,
      )
    }
  }))

test('three Postgres shards', () =>
  withTopology(
    { 'shard-1': { kind: 'postgres' }, 'shard-2': { kind: 'postgres' }, 'shard-3': { kind: 'postgres' } },
    async (nodes) => {
      expect(names(nodes)).toEqual(['shard-1', 'shard-2', 'shard-3'])
      await Promise.all(
        nodes.map((node) =>
          sqlOnce(node, 'postgres', notes.replace('current_setting($$port$$)', `'${node.name}'`)),
        ),
      )
      for (const node of nodes) {
        expect(await sqlOnce(node, 'postgres', 'SELECT text FROM notes')).toEqual([{ text: node.name }])
      }
    },
  ))

test('one Redis, which keeps nothing on disk', () =>
  withTopology({ redis: { kind: 'redis' } }, async ([node]) => {
    const redis = clientOf(node!)
    expect(await redis.set('key', 'value')).toBe('OK')
    expect(await redis.config('GET', 'save')).toEqual(['save', ''])
    expect(await redis.config('GET', 'appendonly')).toEqual(['appendonly', 'no'])
    redis.disconnect()
  }))

test('three independent Redis', () =>
  withTopology(
    { 'redis-1': { kind: 'redis' }, 'redis-2': { kind: 'redis' }, 'redis-3': { kind: 'redis' } },
    async (nodes) => {
      const clients = nodes.map(clientOf)
      await Promise.all(clients.map((client, i) => client.set('who', names(nodes)[i]!)))
      expect(await Promise.all(clients.map((client) => client.get('who')))).toEqual(names(nodes))
      for (const client of clients) client.disconnect()
    },
  ))

test('a Redis Cluster of three masters: a client is led to the node of each key', () =>
  withTopology({ cache: { kind: 'redis-cluster' } }, async (nodes) => {
    expect(names(nodes)).toEqual(['cache-1', 'cache-2', 'cache-3'])
    const cluster = new Cluster(nodes.map(({ host, port }) => ({ host, port })))
    const keys = Array.from({ length: 60 }, (_, i) => `key-${i}`)
    await Promise.all(keys.map((key) => cluster.set(key, key)))
    expect(await Promise.all(keys.map((key) => cluster.get(key)))).toEqual(keys)
    const sizes = await Promise.all(cluster.nodes('master').map((node) => node.dbsize()))
    expect(sizes).toHaveLength(3)
    expect(Math.min(...sizes)).toBeGreaterThan(5)
    expect(sizes.reduce((sum, size) => sum + size)).toBe(keys.length)
    cluster.disconnect()
    for (const [i, node] of nodes.entries()) {
      const client = clientOf(node)
      expect(String(await client.call('CLUSTER', 'NODES'))).toMatch(
        new RegExp(`myself,master.* ${slotRange(i, 3).join('-')}\n`),
      )
      client.disconnect()
    }
  }))
