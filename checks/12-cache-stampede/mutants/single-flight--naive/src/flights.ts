import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { LOCK_WAIT_MS } from './config.ts'
import { query } from './database.ts'
import { fill, lock, read, unlock, usableUntil, type Entry } from './entries.ts'
import { RedisAway } from './redis.ts'

/** One computation under way in this process, for everybody who asks for the same key. */
interface Flight {
  /** Undefined: somebody else is at work, and this one does not wait. */
  landed: Promise<Landed | undefined>
  /** When its statement left. Who came later may need one of their own. */
  sentAt?: number
}

export interface Landed {
  entry: Entry
  /** Redis could not be used. */
  bypass: boolean
}

/** May it be given to somebody who wants nothing fetched before `since`? */
export const serves = (entry: Entry, since: number): boolean =>
  entry.fetchedAt >= since && Date.now() < usableUntil(entry)

// #region flights
const flights = new Map<string, Flight>()

function takeOff(key: string, since: number, waits: boolean): Flight {
  const flight = {} as Flight
  flight.landed = compute(key, since, waits, flight).finally(() => {
    // However it ended. A later one may have taken its place.
    if (flights.get(key) === flight) flights.delete(key)
  })
  flights.set(key, flight)
  return flight
}

/** An entry fetched at `since` or later, from a flight of this process: one under way where it serves. */
export async function obtain(key: string, _since: number): Promise<Landed> {
  const entry = await query(key, () => {})
  await store(key, entry)
  return { entry, bypass: false }
}

/** Sees to it that a newer entry than this one is being fetched; nobody waits for it. */
export function refresh(key: string, seen: Entry): void {
  if (flights.has(key)) return
  takeOff(key, seen.fetchedAt + 1, false).landed.catch((error: unknown) =>
    console.error('refresh', key, error),
  )
}
// #endregion flights

/** Resolves when no flight of now is under way any more: what they fetch is stored, and their locks given back. */
export const allLanded = (): Promise<unknown> =>
  Promise.allSettled([...flights.values()].map(({ landed }) => landed))

// #region strong
const boarding = new Map<string, Promise<Entry>>()

/** From a statement sent after this call: a flight is open to others until its statement leaves, and not a moment longer. */
export function fetchNow(key: string): Promise<Entry> {
  const open = boarding.get(key)
  if (open) return open
  const close = () => void (boarding.get(key) === flight && boarding.delete(key))
  const flight: Promise<Entry> = Promise.resolve()
    .then(() => query(key, close))
    .finally(close)
  boarding.set(key, flight)
  return flight
}
// #endregion strong

// #region compute
async function compute(
  key: string,
  since: number,
  waits: boolean,
  flight: Flight,
): Promise<Landed | undefined> {
  const sent = (at: number) => void (flight.sentAt = at)
  try {
    const entry = await oneForAll(key, since, waits, sent)
    return entry && { entry, bypass: false }
  } catch (error) {
    if (!(error instanceof RedisAway)) throw error
    // Nobody waits for a refresh, and there is no place for what it would fetch.
    if (!waits) return undefined
    // Without Redis there is no lock: one flight a server, and the limit.
    return { entry: await query(key, sent), bypass: true }
  }
}

/** One computation for all servers: by the holder of the lock, for those who wait for its entry. */
async function oneForAll(
  key: string,
  since: number,
  waits: boolean,
  sent: (at: number) => void,
): Promise<Entry | undefined> {
  const token = randomUUID()
  const deadline = Date.now() + LOCK_WAIT_MS
  while (!(await lock(key, token))) {
    if (!waits) return undefined
    // The lock saves work, nothing else: who has waited long enough asks Postgres, within its limit.
    if (Date.now() >= deadline) return store(key, await query(key, sent))
    await pause(15 + Math.random() * 20)
    const entry = await read(key)
    if (entry && serves(entry, since)) return entry
  }
  try {
    // Between the look that sent us here and the lock, somebody may have finished.
    const again = await read(key)
    if (again && serves(again, since)) return again
    return await store(key, await query(key, sent))
  } finally {
    // It expires by itself where Redis is away.
    await unlock(key, token).catch(() => {})
  }
}
// #endregion compute

/** Puts it into Redis as well as that goes: the answer is here already. */
export async function store(key: string, entry: Entry): Promise<Entry> {
  await fill(key, entry).catch(() => {}) // Redis is away: known by now, and not this reader's concern
  return entry
}
