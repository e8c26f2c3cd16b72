import { STALE_MS } from './config.ts'
import { redis } from './redis.ts'

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

/** The entry of a key, as all services that share this Redis store it. */
export async function read(key: string): Promise<Entry | undefined> {
  const { value, version, fetchedAt, deltaMs, freshUntil } = await redis.hgetall(`entry:${key}`)
  // TODO(single-flight): a hash that can't be parsed counts as missing. And how is a row stored that does not exist?
  if (value === undefined) return undefined
  return {
    value: JSON.parse(value),
    version: Number(version),
    fetchedAt: Number(fetchedAt),
    deltaMs: Number(deltaMs),
    freshUntil: Number(freshUntil),
  }
}

/** Stores an entry; Redis drops it when it may not even be served stale any more. */
export async function fill(key: string, entry: Entry): Promise<void> {
  // TODO(lock-safety): what if Redis has a newer version by now?
  const { value, ...rest } = entry
  await redis.hset(`entry:${key}`, { value: JSON.stringify(value), ...rest })
  await redis.pexpireat(`entry:${key}`, entry.freshUntil + STALE_MS)
}
