import { Redis, type RedisOptions } from 'ioredis'
import {
  L2_TTL_MS,
  NEGATIVE_TTL_MS,
  REDIS_RETRY_MS,
  REDIS_TIMEOUT_MS,
  REDIS_URL,
  SERVER_NAME,
} from './config.ts'
import type { Entry } from './l1.ts'
import { counts, lags } from './metrics.ts'

/** Tells the other servers that a key has this version now. */
interface Invalidation {
  key: string
  version: number
  from: string
  /** When it was sent, by the sender's clock: for the metrics, never to decide who is newer. */
  at: number
}

const CHANNEL = 'items:invalidate'
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
/** Keeps what is there when it is newer. An empty entry is a mark: a version, and no answer. */
const KEEP_NEWEST = `
  local held = tonumber(redis.call('HGET', KEYS[1], 'version') or '-1')
  if held <= tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[1], 'version', ARGV[1], 'entry', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
  end
  if ARGV[4] then redis.call('PUBLISH', ARGV[4], ARGV[5]) end`

const nameOf = (key: string) => `item:${key}`

/** Spread, so that what was filled together does not expire together. */
const spread = (ms: number) => Math.round(ms * (0.9 + 0.2 * Math.random()))

/** For a read: it stores, and tells nobody. */
export async function storeInL2(key: string, entry: Entry): Promise<void> {
  const life = entry.found ? spread(L2_TTL_MS) : NEGATIVE_TTL_MS
  await redis.eval(KEEP_NEWEST, 1, nameOf(key), entry.version, JSON.stringify(entry), life)
}

/** What Redis knows; undefined when it knows nothing. Throws when it does not answer. */
export async function findInL2(key: string): Promise<Entry | undefined> {
  const text = await redis.hget(nameOf(key), 'entry')
  return text ? (JSON.parse(text) as Entry) : undefined
}
// #endregion store

// #region announce
/** For a write, in one step: the new entry, or a mark where there is none, and the message. */
export async function announce(key: string, version: number, entry?: Entry): Promise<void> {
  const [body, life] = entry ? [JSON.stringify(entry), spread(L2_TTL_MS)] : ['', MARK_MS]
  const message: Invalidation = { key, version, from: SERVER_NAME, at: Date.now() }
  const text = JSON.stringify(message)
  await redis.eval(KEEP_NEWEST, 1, nameOf(key), version, body, life, CHANNEL, text)
}

/** Redis and the others drop it, whatever version it is. */
export async function forget(key: string): Promise<void> {
  await redis.del(nameOf(key))
  await redis.publish(CHANNEL, JSON.stringify({ key, from: SERVER_NAME, at: Date.now() }))
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
const subscriber = new Redis(REDIS_URL, { ...options, autoResubscribe: false })
subscriber.on('error', () => {})

/**
 * Listens from now on, over every reconnection.
 * @param standing called when the subscription stands: what was sent before that has been missed
 */
export function listen(
  received: (key: string, version: number) => void,
  standing: () => void,
  lost: () => void,
): void {
  subscriber.on('message', (_channel, text) => {
    const { key, version, from, at } = JSON.parse(text) as Invalidation
    received(key, version)
    if (from === SERVER_NAME) return
    counts.invalidations.received += 1
    // Clocks of two machines differ, and nothing arrives before it was sent.
    lags.add(Math.max(0, Date.now() - at))
  })
  subscriber.on('ready', () => {
    subscriber.subscribe(CHANNEL).then(standing, () => subscriber.disconnect(true))
  })
  subscriber.on('close', lost)
}
// #endregion subscribe

export function closeRedis(): void {
  redis.disconnect()
  subscriber.disconnect()
}
