import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { DATABASE_URL, REDIS_RETRY_MS, REDIS_TIMEOUT_MS, REDIS_URL, STALE_MS, TTL_MS } from './config.ts'

/** What Postgres said, and when. */
export interface Entry {
  value: unknown
  version: number
  /** When the query was sent. */
  fetchedAt: number
  /** How long it took. */
  deltaMs: number
  freshUntil: number
}

export const redis = new Redis(REDIS_URL, {
  commandTimeout: REDIS_TIMEOUT_MS,
  retryStrategy: () => REDIS_RETRY_MS,
})
redis.on('error', (error) => console.error('redis', error.message))

// TODO(degrade): how many statements may this server have in Postgres at once, and who waits how long for a place?
export const pool = new Pool({ connectionString: DATABASE_URL })
pool.on('error', (error) => console.error('postgres', error.message))

// #region read
/** The entry of a key, as all services that share this Redis store it. */
export async function readEntry(key: string): Promise<Entry | undefined> {
  const { value, version, fetchedAt, deltaMs, freshUntil } = await redis.hgetall(`entry:${key}`)
  // TODO(single-flight): a hash that can't be parsed counts as missing. What of a row that does not exist?
  if (value === undefined) return undefined
  return {
    value: JSON.parse(value),
    version: Number(version),
    fetchedAt: Number(fetchedAt),
    deltaMs: Number(deltaMs),
    freshUntil: Number(freshUntil),
  }
}
// #endregion read

// #region store
/** Stores an entry; Redis drops it when it may not even be served stale any more. */
export async function storeEntry(key: string, entry: Entry): Promise<void> {
  // TODO(lock-safety): what if Redis has a newer version by now?
  const { value, ...rest } = entry
  await redis.hset(`entry:${key}`, { value: JSON.stringify(value), ...rest })
  await redis.pexpireat(`entry:${key}`, entry.freshUntil + STALE_MS)
}
// #endregion store

// #region fetch
/** The row of a key, with what a cache must remember of it. */
export async function fetchRow(key: string): Promise<Entry | undefined> {
  const fetchedAt = Date.now()
  const { rows } = await pool.query<{ value: unknown; version: string }>(
    'SELECT value, version FROM data WHERE key = $1',
    [key],
  )
  if (!rows[0]) return undefined
  const { value, version } = rows[0]
  const now = Date.now()
  const life = TTL_MS * (0.9 + 0.2 * Math.random())
  return {
    value,
    version: Number(version),
    fetchedAt,
    deltaMs: now - fetchedAt,
    freshUntil: now + Math.round(life),
  }
}
// #endregion fetch
