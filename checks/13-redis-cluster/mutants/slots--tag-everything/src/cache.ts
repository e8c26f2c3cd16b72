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
const FAILURES_BEFORE_REST = 2
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
/** One tag for all: so every command finds its keys in one slot. */
function keysOf(id: string): [detail: string, stock: string] {
  const tag = `{cache}:${encodeURIComponent(id)}`
  return [`${tag}:detail`, `${tag}:stock`]
}
// #endregion keys

// #region lookup
/** What the cache says of each product. One command a slot, all at once. */
export async function lookUp(ids: readonly string[]): Promise<Map<string, Lookup>> {
  const groups = Map.groupBy(ids, (id) => slotOf(keysOf(id)[0]))
  const found = new Map<string, Lookup>()
  await Promise.all(
    [...groups].map(async ([slot, group]) => {
      const parts = await ask(slot, () => cluster.mget(group.flatMap(keysOf))).catch(() => undefined)
      for (const [i, id] of group.entries()) {
        found.set(id, parts ? assemble(parts[2 * i], parts[2 * i + 1]) : { state: 'bypass' })
      }
    }),
  )
  return found
}

function assemble(detail: string | null | undefined, stock: string | null | undefined): Lookup {
  if (!detail || !stock) return { state: 'miss' }
  return { state: 'hit', product: { ...JSON.parse(detail), ...JSON.parse(stock) } }
}
// #endregion lookup

// #region store
/** A fill that comes late must not bring back what a newer one has replaced. */
const STORE = `
  for _, key in ipairs(KEYS) do
    local held = redis.call('GET', key)
    if held and cjson.decode(held).version > tonumber(ARGV[1]) then return 0 end
  end
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
  redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[5])
  return 1`

/** Stores both parts unless newer ones are there. Rejects if the node did not answer. @param readAt when the row was read */
export async function store(product: Product, readAt: number): Promise<void> {
  const age = Math.ceil(performance.now() - readAt)
  if (age > OLDEST_FILL_MS) throw new Error('read too long ago')
  const { id, name, price, stock, version } = product
  const keys = keysOf(id)
  const detail = JSON.stringify({ id, name, price, version })
  const rest = JSON.stringify({ stock, version })
  const lives = [DETAIL_TTL_MS, STOCK_TTL_MS].map((life) => Math.max(1, life - age))
  await ask(slotOf(keys[0]), () =>
    cluster.eval(STORE, 2, ...keys, version, detail, lives[0]!, rest, lives[1]!),
  )
}
// #endregion store

// #region breaker
const silent = new Map<string, { times: number; since: number }>()

/** Asks the node of this slot, unless it has kept us waiting lately: one more wait would teach nothing. */
async function ask<T>(slot: number, command: () => Promise<T>): Promise<T> {
  const node = cluster.slots[slot]?.[0] ?? 'unknown'
  const { times = 0, since = 0 } = silent.get(node) ?? {}
  if (times >= FAILURES_BEFORE_REST && performance.now() - since < REST_MS) {
    throw new Error(`${node} did not answer ${times} times`)
  }
  try {
    const answer = await command()
    silent.delete(node)
    return answer
  } catch (error) {
    // Only silence costs time. A refusal, of whatever kind, comes at once.
    if ((error as Error).message === 'Command timed out') {
      silent.set(node, { times: times + 1, since: performance.now() })
    }
    throw error
  }
}
// #endregion breaker

export function leaveCluster(): void {
  cluster.disconnect()
}
