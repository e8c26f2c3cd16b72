import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { DATABASE_URL, DB_POOL_MAX, DB_WAIT_MS, REDIS_URL } from './config.ts'

// #region stores
// TODO(scale-up): every process that loads this file opens a pool of this size.
export const pool = new Pool({
  connectionString: DATABASE_URL,
  max: DB_POOL_MAX,
  connectionTimeoutMillis: DB_WAIT_MS,
})
// An idle connection was lost; the pool has dropped it and opens another when it needs one.
pool.on('error', () => {})

// TODO(sessions): with these defaults a request hangs for more than a minute when Redis is away.
export const redis = new Redis(REDIS_URL)
redis.on('error', () => {})
// #endregion stores
