import { Redis, type RedisOptions } from 'ioredis'
import { L2_TTL_MS, NEGATIVE_TTL_MS, REDIS_RETRY_MS, REDIS_TIMEOUT_MS, REDIS_URL } from './config.ts'
import type { Entry } from './l1.ts'
import { counts, lags } from './metrics.ts'

/** Where Redis itself tells which keys have changed. */
const CHANNEL = '__redis__:invalidate'
/** When something was last written, by the writer's clock: for the metrics. */
const CLOCK = 'clock:items'
const PREFIX = 'item:'
/** How long a write's mark keeps late fills out: longer than any fill can take. */
const MARK_MS = 60_000

// #region client
const options: RedisOptions = {
  commandTimeout: REDIS_TIMEOUT_MS,
  // Fail at once while there is no connection: Postgres can answer, a queue cannot.
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  retryStrategy: () => REDIS_RETRY_MS,
}

const redis = new Redis(REDIS_URL, options)
// Without a listener a lost connection would end the process. The command that waited reports it.
redis.on('error', () => {})
// #endregion client

// #region store
const nameOf = (key: string) => PREFIX + key

/** Spread, so that what was filled together does not expire together. */
const spread = (ms: number) => Math.round(ms * (0.9 + 0.2 * Math.random()))

let turn: Promise<unknown> = Promise.resolve()

/**
 * Keeps what is there when it is newer. An empty entry is a mark: a version, and no answer. Not a script: what a script
 * has changed comes back to its caller in spite of NOLOOP. One at a time, since WATCH belongs to the connection.
 */
function keepNewest(key: string, version: number, body: string, life: number, at?: number): Promise<void> {
  const mine = turn.then(async () => {
    const name = nameOf(key)
    for (;;) {
      await redis.watch(name)
      const held = Number((await redis.hget(name, 'version')) ?? -1)
      const change = redis.multi()
      if (held <= version) change.hset(name, { version, entry: body }).pexpire(name, life)
      if (at !== undefined) change.set(CLOCK, at)
      if ((await change.exec()) !== null) return
    }
  })
  turn = mine.catch(() => {}) // whoever waits for it hears of it
  return mine
}

/** For a read: it stores, and tells nobody. */
export async function storeInL2(key: string, entry: Entry): Promise<void> {
  const life = entry.found ? spread(L2_TTL_MS) : NEGATIVE_TTL_MS
  await keepNewest(key, entry.version, JSON.stringify(entry), life)
}

/** What Redis knows; undefined when it knows nothing. Throws when it does not answer. */
export async function findInL2(key: string): Promise<Entry | undefined> {
  const text = await redis.hget(nameOf(key), 'entry')
  return text ? (JSON.parse(text) as Entry) : undefined
}
// #endregion store

// #region announce
/** For a write: the new entry, or a mark where there is none. Redis tells the others by itself. */
export async function announce(key: string, version: number, entry?: Entry): Promise<void> {
  const [body, life] = entry ? [JSON.stringify(entry), spread(L2_TTL_MS)] : ['', MARK_MS]
  await keepNewest(key, version, body, life, Date.now())
}
// #endregion announce

/** Calls back each time that commands can be sent again. */
export function onRedisBack(back: () => void): void {
  redis.on('ready', back)
}

/** Calls back each time that Redis was lost: it may come back empty. */
export function onRedisLost(lost: () => void): void {
  redis.on('close', lost)
}

// #region subscribe
// With RESP3 the client would drop these messages without a word.
const subscriber = new Redis(REDIS_URL, { ...options, autoResubscribe: false, protocol: 2 })
subscriber.on('error', () => {})

/**
 * Has Redis send what others have changed, over every reconnection of either connection.
 * @param standing called when that stands: what was changed before has been missed
 */
export function listen(
  received: (key: string, version: number) => void,
  standing: () => void,
  lost: () => void,
): void {
  let target: number | undefined

  subscriber.on('message', (_channel: string, names: string | string[] | null) => {
    // Without names: everything has been flushed.
    if (names === null) return standing()
    for (const name of [names].flat()) {
      received(name.slice(PREFIX.length), Infinity)
      counts.invalidations.received += 1
    }
    void sampleLag().catch(() => {}) // one sample less
  })
  subscriber.on('ready', () => {
    const subscribed = async (): Promise<void> => {
      const id = await subscriber.client('ID')
      await subscriber.subscribe(CHANNEL)
      target = id
      await track()
    }
    subscribed().catch(() => subscriber.disconnect(true))
  })
  subscriber.on('close', () => {
    target = undefined
    lost()
  })
  redis.on('ready', () => void track().catch(() => redis.disconnect(true)))

  async function track(): Promise<void> {
    if (target === undefined || redis.status !== 'ready') return
    await redis.call('CLIENT', 'TRACKING', 'OFF')
    await redis.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', target, 'BCAST', 'PREFIX', PREFIX, 'NOLOOP')
    sampled = await redis.get(CLOCK)
    standing()
  }
}

/** The write that was measured last: fills are told as well, and have no time of their own. */
let sampled: string | null = null

async function sampleLag(): Promise<void> {
  const at = await redis.get(CLOCK)
  if (at === null || at === sampled) return
  sampled = at
  lags.add(Math.max(0, Date.now() - Number(at)))
}
// #endregion subscribe

export function closeRedis(): void {
  redis.disconnect()
  subscriber.disconnect()
}
