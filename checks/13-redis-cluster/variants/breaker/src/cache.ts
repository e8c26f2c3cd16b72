import { Cluster } from 'ioredis'
import { setTimeout as pause } from 'node:timers/promises'
import { milliseconds, required } from './config.ts'
import type { Product } from './products.ts'
import { slotOf } from './slots.ts'

const REDIS_TIMEOUT_MS = milliseconds('REDIS_TIMEOUT_MS', 100)
const REDIS_RETRY_MS = milliseconds('REDIS_RETRY_MS', 50)
const DETAIL_TTL_MS = milliseconds('DETAIL_TTL_MS', 3_600_000)
const STOCK_TTL_MS = milliseconds('STOCK_TTL_MS', 2000)

/** A node that has just let us wait in vain is not asked again for so long. */
const REST_MS = 200
/** What was read longer ago is not stored: it may be older than something that a node has forgotten since. */
const OLDEST_FILL_MS = 1000

/** `bypass`: the cache did not answer for this product, so nothing may be concluded from it. */
export type Lookup = { state: 'hit'; product: Product } | { state: 'miss' } | { state: 'bypass' }

// #region client
const addresses = required('REDIS_CLUSTER_NODES').split(',')

const cluster = new Cluster(
  addresses.map((address) => {
    const [host, port] = address.split(':')
    return { host, port: Number(port) }
  }),
  {
    lazyConnect: true,
    // A command that can't be sent fails at once: Postgres answers sooner than a queue that waits for a node.
    enableOfflineQueue: false,
    retryDelayOnClusterDown: 0,
    retryDelayOnFailover: 0,
    retryDelayOnTryAgain: 10,
    maxRedirections: 5,
    clusterRetryStrategy: () => REDIS_RETRY_MS,
    redisOptions: {
      commandTimeout: REDIS_TIMEOUT_MS,
      connectTimeout: REDIS_TIMEOUT_MS,
      maxRetriesPerRequest: 0,
    },
  },
)
// #endregion client
// Reported by the command that was under way; without a listener the event would end the process.
cluster.on('error', () => {})

/** Tries the cluster once, so that the first requests find connections. Resolves in any case. */
export async function tryCluster(): Promise<void> {
  const connected = cluster.connect().then(() => Promise.all(cluster.nodes('master').map((n) => n.ping())))
  await Promise.race([connected.catch(() => {}), pause(REDIS_TIMEOUT_MS + REDIS_RETRY_MS)])
}

// #region keys
/** One hash a product: its parts can't be parted, and end by times of their own that stand in it. */
const keyOf = (id: string): string => `product:${encodeURIComponent(id)}`
// #endregion keys

// #region lookup
/** What the cache says of each product. One pipeline a slot would do; one command a product does too. */
export async function lookUp(ids: readonly string[]): Promise<Map<string, Lookup>> {
  const lookups = ids.map(async (id) => {
    const key = keyOf(id)
    const parts = await ask(slotOf(key), () =>
      cluster.hmget(key, 'detail', 'detailUntil', 'stock', 'stockUntil'),
    ).catch(() => undefined)
    return [id, parts ? assemble(parts) : { state: 'bypass' as const }] as const
  })
  return new Map(await Promise.all(lookups))
}

function assemble([detail, detailUntil, stock, stockUntil]: (string | null)[]): Lookup {
  const now = Date.now()
  if (!detail || !stock || Number(detailUntil) < now || Number(stockUntil) < now) return { state: 'miss' }
  return { state: 'hit', product: { ...JSON.parse(detail), ...JSON.parse(stock) } }
}
// #endregion lookup

// #region store
/** A fill that comes late must not bring back what a newer one has replaced. */
const STORE = `
  local held = tonumber(redis.call('HGET', KEYS[1], 'version') or 0)
  if held > tonumber(ARGV[1]) then return 0 end
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'detail', ARGV[2], 'detailUntil', ARGV[3],
    'stock', ARGV[4], 'stockUntil', ARGV[5])
  redis.call('PEXPIRE', KEYS[1], ARGV[6])
  return 1`

/** Stores both parts unless newer ones are there. Rejects if the node did not answer. @param readAt when the row was read */
export async function store(product: Product, readAt: number): Promise<void> {
  const age = Math.ceil(performance.now() - readAt)
  if (age > OLDEST_FILL_MS) throw new Error('read too long ago')
  const { id, name, price, stock, version } = product
  const key = keyOf(id)
  const began = Date.now() - age
  const detail = [JSON.stringify({ id, name, price, version }), began + DETAIL_TTL_MS]
  const rest = [JSON.stringify({ stock }), began + STOCK_TTL_MS]
  const longest = Math.max(DETAIL_TTL_MS, STOCK_TTL_MS)
  await ask(slotOf(key), () => cluster.eval(STORE, 1, key, version, ...detail, ...rest, longest))
}
// #endregion store

// #region breaker
const restsUntil = new Map<string, number>()

/** After any failure of a node one request every 200 ms finds out whether it is back; the others don't wait for that. */
async function ask<T>(slot: number, command: () => Promise<T>): Promise<T> {
  const node = cluster.slots[slot]?.[0] ?? 'unknown'
  const until = restsUntil.get(node)
  if (until !== undefined) {
    if (performance.now() < until) throw new Error(`${node} is resting`)
    restsUntil.set(node, performance.now() + REST_MS)
  }
  try {
    const answer = await command()
    restsUntil.delete(node)
    return answer
  } catch (error) {
    restsUntil.set(node, performance.now() + REST_MS)
    throw error
  }
}
// #endregion breaker

export function leaveCluster(): void {
  cluster.disconnect()
}
