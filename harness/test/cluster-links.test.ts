import { Cluster } from 'ioredis'
import { expect, test } from 'vitest'
import { redisCluster, type StartedCluster } from '../index.ts'
import { useTopology } from './stage.ts'

const stage = useTopology({ cache: { kind: 'redis-cluster', behindLinks: true } })

const clientOf = (cluster: StartedCluster): Cluster => {
  const startupNodes = cluster.links.slice(0, 1).map(({ host, port }) => ({ host, port }))
  const client = new Cluster(startupNodes, {
    redisOptions: { commandTimeout: 1000, maxRetriesPerRequest: 0 },
  })
  client.on('error', () => {}) // told by the command that was under way
  return client
}

test('clients learn the links: cut, one node is gone for them and the cluster is well', async () => {
  const cluster = await redisCluster('cache')
  const client = clientOf(cluster)
  const keys = Array.from({ length: 30 }, (_, i) => `key-${i}`)
  await Promise.all(keys.map((key) => client.set(key, key)))
  for (const link of cluster.links) expect(link.counts.requests).toBeGreaterThan(0)
  const owners = await Promise.all(keys.map(async (key) => cluster.owner(await cluster.slotOf(key))))
  expect(new Set(owners)).toEqual(new Set([0, 1, 2]))
  expect(
    (await cluster.keys()).map((held, i) => held.length === owners.filter((o) => o === i).length),
  ).toEqual([true, true, true])
  cluster.links[2]!.cut()
  await expect(client.get(keys[owners.indexOf(2)]!)).rejects.toThrow()
  expect(await client.get(keys[owners.indexOf(0)]!)).toBe(keys[owners.indexOf(0)])
  expect(await cluster.state(0)).toBe('ok')
  await cluster.links[2]!.open()
  await expect.poll(() => client.get(keys[owners.indexOf(2)]!)).toBe(keys[owners.indexOf(2)])
  client.disconnect()
})

test('a slot moves half, then whole, and is back for the next run', async () => {
  const cluster = await redisCluster('cache')
  const client = clientOf(cluster)
  await Promise.all(['{a}1', '{a}2'].map((key) => client.set(key, key)))
  const slot = await cluster.slotOf('a')
  const from = await cluster.owner(slot)
  const to = (from + 1) % 3
  const moving = await cluster.migrate(slot, to)
  await moving.moveKeys(['{a}1'])
  expect(await client.get('{a}1')).toBe('{a}1')
  expect(await cluster.counted(to, 'cmdstat_asking')).toBeGreaterThan(0)
  await moving.moveKeys()
  await moving.finish()
  expect(await Promise.all([0, 1, 2].map((by) => cluster.owner(slot, by)))).toEqual([to, to, to])
  expect(await client.mget('{a}1', '{a}2')).toEqual(['{a}1', '{a}2'])
  client.disconnect()
  const begun = performance.now()
  await stage.nextRun()
  expect(await (await redisCluster('cache')).owner(slot)).toBe(from)
  expect(performance.now() - begun).toBeLessThan(1500) // not formed anew, which would take 2 s
})

test('killed, back and open again; settings are undone', async () => {
  const cluster = await redisCluster('cache')
  await cluster.set('cluster-node-timeout', 200)
  await cluster.nodes[2]!.kill()
  await expect.poll(() => cluster.state(0), { timeout: 5000 }).toBe('fail')
  await cluster.nodes[2]!.start()
  await cluster.ready()
  expect(await cluster.state(0)).toBe('ok')
  await stage.nextRun()
  const again = await redisCluster('cache')
  for (const node of again.nodes)
    expect(await node.client.config('GET', 'cluster-node-timeout')).toEqual(['cluster-node-timeout', '15000'])
})
