import { Redis } from 'ioredis'
import { REDIS_RETRY_MS, REDIS_TIMEOUT_MS, REDIS_URL } from './config.ts'

// TODO(degrade): what does this client do with a command while Redis is gone, and how long does its caller wait?
export const redis = new Redis(REDIS_URL, {
  commandTimeout: REDIS_TIMEOUT_MS,
  retryStrategy: () => REDIS_RETRY_MS,
})
redis.on('error', (error) => console.error('redis', error.message))
