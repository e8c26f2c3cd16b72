import { EventEmitter, once } from 'node:events'
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
subscriber.on('message', (_channel, key) => void news.emit(key))

/** A computation of this key has ended: its entry may be there, or its lock free. */
export const publish = (key: string): Promise<unknown> => ask(() => redis.publish(CHANNEL, key))

/** Resolves when a server says that a computation of this key has ended. */
export const told = (key: string): Promise<unknown> => once(news, key)
