import { setTimeout as pause } from 'node:timers/promises'
import { Redis, ReplyError } from 'ioredis'
import { REDIS_RETRY_MS, REDIS_TIMEOUT_MS, REDIS_URL } from './config.ts'

/** Redis can't be used now. The data is in Postgres: nothing is lost but speed. */
export class RedisAway extends Error {}

/** Redis is there, but what stands under this key is no hash. */
export class WrongType extends Error {}

export const redis = new Redis(REDIS_URL, {
  lazyConnect: true,
  commandTimeout: REDIS_TIMEOUT_MS,
  connectTimeout: REDIS_TIMEOUT_MS,
  // Else a process that never reached Redis lives for two seconds more after its end.
  disconnectTimeout: REDIS_TIMEOUT_MS,
  // A command that can't be sent now fails now, and is not sent later, when nobody waits for it any more.
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: () => REDIS_RETRY_MS,
})
// Whoever waits for a command hears of it.
redis.on('error', () => {})

let usable = false
let probing = false

/** Connects for the first time. */
export async function connect(): Promise<void> {
  await redis.connect()
  usable = true
}

// #region ask
/** Asks Redis, unless it is known to be away: one request pays the time-out, not every one. */
export async function ask<T>(command: () => Promise<T>): Promise<T> {
  if (!usable) throw new RedisAway()
  try {
    return await command()
  } catch (error) {
    // Whoever answers, if only with an error, is there.
    if (!isReply(error)) leaveAlone()
    else if (error.message.startsWith('WRONGTYPE')) throw new WrongType(error.message, { cause: error })
    throw new RedisAway('redis failed', { cause: error })
  }
}

/** No request asks Redis until a probe of ours was answered. */
export function leaveAlone(): void {
  usable = false
  if (!probing) void probe()
}

async function probe(): Promise<void> {
  probing = true
  while (!usable) {
    await pause(REDIS_RETRY_MS)
    usable = await redis.ping().then(
      () => true,
      () => false,
    )
  }
  probing = false
}
// #endregion ask

const isReply = (error: unknown): error is Error => error instanceof (ReplyError as typeof Error)

export const redisIsUsable = (): boolean => usable
