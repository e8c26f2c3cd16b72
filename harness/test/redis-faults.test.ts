import { Cluster } from 'ioredis'
import { expect, test } from 'vitest'
import { clusterNodes, link, redis, type StartedRedis } from '../index.ts'
import { clientOf } from './redis-client.ts'
import { useTopology } from './stage.ts'

const stage = useTopology({ cache: { kind: 'redis' }, cluster: { kind: 'redis-cluster' } })

/** What comes first: the answer, or the end of this time. */
const within = (ms: number, work: Promise<unknown>): Promise<unknown> =>
  Promise.race([work.then(() => 'answered'), new Promise((resolve) => setTimeout(resolve, ms, 'silent'))])

const stateOf = async (node: StartedRedis): Promise<string | undefined> => {
  const client = clientOf(node)
  const info = String(await client.call('CLUSTER', 'INFO').finally(() => client.disconnect()))
  return /cluster_state:(\w+)/.exec(info)?.[1]
}

test('killed it refuses; back on the same port it is empty', async () => {
  await redis('cache').client.set('key', 'value')
  await redis('cache').kill()
  await expect(clientOf(redis('cache')).ping()).rejects.toThrow()
  await redis('cache').start()
  const client = clientOf(redis('cache'))
  expect(await client.get('key')).toBeNull()
  client.disconnect()
})

test('what a test left dead, frozen or full, the next run finds alive and empty', async () => {
  await redis('cache').client.set('key', 'value')
  await clusterNodes('cluster')[0]!.freeze()
  await clusterNodes('cluster')[1]!.kill()
  await redis('cache').kill()
  await stage.nextRun()
  expect(await redis('cache').client.dbsize()).toBe(0)
  for (const node of clusterNodes('cluster')) expect(await stateOf(node)).toBe('ok')
})

test('frozen it keeps its connections and answers nobody; thawed it goes on', async () => {
  const { client } = redis('cache')
  await client.ping()
  await redis('cache').freeze()
  const answer = client.set('key', 'value')
  expect(await within(100, answer)).toBe('silent')
  await redis('cache').thaw()
  expect(await within(5000, answer)).toBe('answered')
})

test('a link in front of Redis: slowed, cut, refusing, a black hole, and healed each time', async () => {
  const wire = await link('server', redis('cache'))
  const ask = async (): Promise<number> => {
    const client = clientOf(wire)
    await client.ping()
    const begun = performance.now()
    await client.ping().finally(() => client.disconnect())
    return performance.now() - begun
  }
  await ask()
  wire.delay(60)
  expect(await ask()).toBeGreaterThanOrEqual(115)
  await wire.open()
  await ask()

  const standing = clientOf(wire)
  await standing.ping()
  expect(wire.cut()).toBe(1)
  await expect(standing.ping()).rejects.toThrow()
  await expect(ask()).rejects.toThrow()
  await wire.open()
  await ask()

  wire.refuse()
  await expect(ask()).rejects.toThrow()
  await wire.open()

  const held = clientOf(wire)
  await held.ping()
  wire.blackHole()
  const answer = held.ping()
  expect(await within(100, answer)).toBe('silent')
  await wire.open()
  expect(await within(5000, answer)).toBe('answered')
  held.disconnect()
  await ask()
})

test('a cluster node killed: its slots are down, the others serve; back, the cluster is whole', async () => {
  const nodes = clusterNodes('cluster')
  const cluster = new Cluster(nodes.map(({ host, port }) => ({ host, port })))
  await cluster.set('key-0', 'value')
  const [first, second, third] = nodes as [StartedRedis, StartedRedis, StartedRedis]
  await second.kill()
  await expect(clientOf(second).ping()).rejects.toThrow()
  for (const node of [first, third]) {
    const client = clientOf(node)
    expect(await client.ping()).toBe('PONG')
    client.disconnect()
  }
  await second.start()
  for (const node of nodes)
    await expect.poll(() => stateOf(node), { timeout: 20_000, interval: 50 }).toBe('ok')
  const keys = Array.from({ length: 30 }, (_, i) => `key-${i}`)
  await Promise.all(keys.map((key) => cluster.set(key, key)))
  expect(await Promise.all(keys.map((key) => cluster.get(key)))).toEqual(keys)
  cluster.disconnect()
})

test('MONITOR up to a marker: what was asked, by whom, and what was not', async () => {
  const monitor = await redis('cache').monitor()
  const client = redis('cache').connect()
  await client.set('a', '1')
  await client.eval("return redis.call('get', KEYS[1])", 1, 'a')
  const commands = await monitor.commands()
  expect(
    commands.map(({ args }) => args[0]!.toLowerCase()).filter((name) => /^(set|eval|get)$/.test(name)),
  ).toEqual(['set', 'eval', 'get'])
  expect(commands.find(({ args }) => args[0] === 'get')?.client).toBe('lua')
  const at = commands.find(({ args }) => args[0] === 'set')!.at
  expect(Math.abs(at - Date.now())).toBeLessThan(60_000)
  await monitor.clear()
  expect(await monitor.commands()).toEqual([])
})
