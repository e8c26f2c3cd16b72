import { ABSENT_MS, LOCK_TTL_MS, STALE_MS, TTL_MS } from './config.ts'
import { ask, redis, WrongType } from './redis.ts'

/** What Postgres said, and when. */
export interface Entry {
  /** Undefined: there is no such row. */
  row?: { value: unknown; version: number }
  /** When the query was sent: the answer can't be older than that. */
  fetchedAt: number
  deltaMs: number
  freshUntil: number
}

/** The end of the fresh life of what is stored now, drawn: entries filled together must not end together. */
export function freshUntil(found: boolean): number {
  const life = TTL_MS * (0.9 + 0.2 * Math.random())
  return Date.now() + Math.round(found ? life : Math.min(life, ABSENT_MS))
}

/** Until when it may be given to anybody at all. An absent row is never served stale. */
export const usableUntil = (entry: Entry): number => entry.freshUntil + (entry.row ? STALE_MS : 0)

/** The entry of a key; undefined when there is none, or none that makes sense. */
export async function read(key: string): Promise<Entry | undefined> {
  try {
    return parse(await ask(() => redis.hgetall(`entry:${key}`)))
  } catch (error) {
    if (error instanceof WrongType) return undefined
    throw error
  }
}

function parse(hash: Record<string, string>): Entry | undefined {
  const [fetchedAt, deltaMs, until] = [hash.fetchedAt, hash.deltaMs, hash.freshUntil].map(Number)
  const times = { fetchedAt: fetchedAt!, deltaMs: deltaMs!, freshUntil: until! }
  if (!Object.values(times).every(Number.isFinite)) return undefined
  if (hash.absent === '1') return times
  if (hash.value === undefined || !/^\d+$/.test(hash.version ?? '')) return undefined
  try {
    return { ...times, row: { value: JSON.parse(hash.value), version: Number(hash.version) } }
  } catch {
    return undefined // not JSON: as good as missing, and replaced by the next computation
  }
}

// #region fill
const FILL = `
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then redis.call('DEL', KEYS[1]) end
local there = redis.call('HMGET', KEYS[1], 'version', 'fetchedAt')
local version, fetched = tonumber(there[1]), tonumber(there[2])
local mine = tonumber(ARGV[2])
if version and mine and version ~= mine then
  if version > mine then return 0 end
elseif fetched and fetched > tonumber(ARGV[3]) then
  return 0
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'fetchedAt', ARGV[3], 'deltaMs', ARGV[4], 'freshUntil', ARGV[5])
if mine then
  redis.call('HSET', KEYS[1], 'value', ARGV[1], 'version', ARGV[2])
else
  redis.call('HSET', KEYS[1], 'absent', '1')
end
redis.call('PEXPIREAT', KEYS[1], ARGV[6])
return 1`

/** Stores an entry unless Redis has a newer one: whoever slept meanwhile must not undo what others did. */
export async function fill(key: string, entry: Entry): Promise<boolean> {
  const { row, fetchedAt, deltaMs } = entry
  const stored = await ask(() =>
    redis.eval(
      FILL,
      1,
      `entry:${key}`,
      row ? JSON.stringify(row.value) : '',
      row ? row.version : '',
      fetchedAt,
      deltaMs,
      entry.freshUntil,
      usableUntil(entry),
    ),
  )
  return stored === 1
}
// #endregion fill

// #region lock
const UNLOCK = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0`
const EXTEND = `if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0`

/** Takes the lock, for `LOCK_TTL_MS` at most: who dies holding it needs nobody to clean up. */
export async function lock(key: string, token: string): Promise<boolean> {
  try {
    const taken = (await ask(() => redis.set(`lock:${key}`, token, 'NX'))) === 'OK'
    if (taken) await ask(() => redis.pexpire(`lock:${key}`, LOCK_TTL_MS))
    return taken
  } catch (error) {
    // It may be on its way, and would be held for nobody: this goes the same way, behind it.
    redis.eval(UNLOCK, 1, `lock:${key}`, token).catch(() => {})
    throw error
  }
}

/** Gives the lock back if it is still ours: after its expiry it may be somebody else's. */
export async function unlock(key: string, token: string): Promise<void> {
  await ask(() => redis.eval(UNLOCK, 1, `lock:${key}`, token))
}

/** Is it still ours? Then it is so for another `LOCK_TTL_MS`. */
export async function extend(key: string, token: string): Promise<boolean> {
  return (await ask(() => redis.eval(EXTEND, 1, `lock:${key}`, token, LOCK_TTL_MS))) === 1
}
// #endregion lock
