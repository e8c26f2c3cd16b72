import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { milliseconds, required } from './config.ts'
import type { Product } from './products.ts'

const REDIS_TIMEOUT_MS = milliseconds('REDIS_TIMEOUT_MS', 100)

/** `bypass`: the cache did not answer for this product, so nothing may be concluded from it. */
export type Lookup = { state: 'hit'; product: Product } | { state: 'miss' } | { state: 'bypass' }

// #region client
const [address] = required('REDIS_CLUSTER_NODES').split(',')
const [host, port] = address!.split(':')

// TODO(slots): this client knows one node of three. Ask it for a key of another, and read the error.
const redis = new Redis({
  host,
  port: Number(port),
  maxRetriesPerRequest: 0,
  commandTimeout: REDIS_TIMEOUT_MS,
})
// TODO(resharding): what does your client do about MOVED, ASK and TRYAGAIN, and for how long?
// TODO(node-down): what does it do when a node is dead, frozen, or the cluster has closed?
// #endregion client
redis.on('error', (error) => console.error(error.message))

/** Tries the cache once, so that the first requests find connections. Resolves in any case. */
export async function tryCluster(): Promise<void> {
  await Promise.race([redis.ping().catch(() => {}), pause(REDIS_TIMEOUT_MS)])
}

// #region keys
// TODO(slots): one key for name and price, one for the stock, each with its own life (DETAIL_TTL_MS, STOCK_TTL_MS).
// TODO(hash-tags): both parts of a product in one slot, different products in different ones.
// #endregion keys

// #region lookup
/** What the cache says of each product. */
export async function lookUp(ids: readonly string[]): Promise<Map<string, Lookup>> {
  // TODO(hash-tags): one command a slot, all at once.
  return new Map(ids.map((id) => [id, { state: 'miss' }]))
}
// #endregion lookup

// #region store
// TODO(slots): store what was read from Postgres.
// TODO(hash-tags): a fill that comes late must not bring back what a newer one has replaced.
// #endregion store

export function leaveCluster(): void {
  redis.disconnect()
}
