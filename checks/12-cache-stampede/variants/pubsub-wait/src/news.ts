import { EventEmitter, once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { REDIS_RETRY_MS, REDIS_TIMEOUT_MS, REDIS_URL } from './config.ts'
import { ask, redis } from './redis.ts'

const CHANNEL = 'computed'

const news = new EventEmitter().setMaxListeners(0)
const subscriber = new Redis(REDIS_URL, {
  connectTimeout: REDIS_TIMEOUT_MS,
  maxRetriesPerRequest: null,
  retryStrategy: () => REDIS_RETRY_MS,
})
subscriber.on('error', () => {}) // it connects again, and whoever waits looks by itself from time to time
void subscriber.subscribe(CHANNEL).catch(() => {})
// No key is an event of Node's own: `error` would end the process.
const event = (key: string): string => `computed ${key}`
subscriber.on('message', (_channel, key) => void news.emit(event(key)))

/** A computation of this key has ended: its entry may be there, or its lock free. */
export const publish = (key: string): Promise<unknown> => ask(() => redis.publish(CHANNEL, key))

/** Resolves when a server says that a computation of this key has ended, or after so many milliseconds. */
export async function told(key: string, ms: number): Promise<void> {
  const over = new AbortController()
  const { signal } = over
  await Promise.race([once(news, event(key), { signal }), pause(ms, undefined, { signal })])
  // The other one of the two ends as well.
  over.abort()
}
