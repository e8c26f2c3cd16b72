import { L1_MAX, L1_TTL_MS, NEGATIVE_TTL_MS } from './config.ts'
import { deleteItem, findItem, saveItem } from './items.ts'
import { L1, type Entry } from './l1.ts'
import { announce, findInL2, listen, onRedisBack, onRedisLost, storeInL2 } from './l2.ts'
import { counts } from './metrics.ts'

const l1 = new L1({
  ttlMs: L1_TTL_MS,
  negativeTtlMs: NEGATIVE_TTL_MS,
  max: L1_MAX,
  now: () => performance.now(),
})

/** Own writes that Redis has not heard of, by key: until it has, what it says of them may be old. */
const unannounced = new Map<string, number>()
/** Keys whose last attempt to tell Redis has failed. */
const overdue = new Set<string>()

export interface Answer {
  entry: Entry
  tier: 'l1' | 'l2' | 'db'
}

// #region read
/** Memory, then Redis, then Postgres. What a lower tier says is put into those above, and nobody is told. */
export async function read(key: string): Promise<Answer> {
  const held = l1.get(key)
  if (held) {
    counts.l1.hits += 1
    return { entry: held, tier: 'l1' }
  }
  counts.l1.misses += 1
  const fill = l1.begin(key)
  try {
    const shared = await askL2(key)
    if (shared.entry) {
      l1.store(fill, shared.entry)
      return { entry: shared.entry, tier: 'l2' }
    }
    counts.db.reads += 1
    const entry = await findItem(key)
    // A Redis that did not answer a moment ago would only be waited for once more.
    if (shared.reached && l1.accepts(fill, entry)) await storeInL2(key, entry).catch(countError)
    l1.store(fill, entry)
    return { entry, tier: 'db' }
  } finally {
    l1.end(fill)
  }
}

async function askL2(key: string): Promise<{ reached: boolean; entry?: Entry }> {
  try {
    const entry = await findInL2(key)
    const usable = entry && entry.version >= (unannounced.get(key) ?? 0)
    counts.l2[usable ? 'hits' : 'misses'] += 1
    return { reached: true, ...(usable && { entry }) }
  } catch {
    countError()
    return { reached: false }
  }
}
// #endregion read

function countError(): void {
  counts.l2.errors += 1
}

// #region write
/** Commit, then Redis and the others. Nothing is forgotten before the commit, or a reader would fetch it back. */
export async function write(key: string, value: unknown): Promise<Entry> {
  const entry = await saveItem(key, value)
  await tell(key, entry.version, entry)
  return entry
}

export async function remove(key: string): Promise<void> {
  await tell(key, await deleteItem(key))
}

async function tell(key: string, version: number, entry?: Entry): Promise<void> {
  l1.invalidate(key, version)
  // Owed from here on, so that a failure has nothing left to remember.
  if (version > (unannounced.get(key) ?? 0)) unannounced.set(key, version)
  try {
    await announce(key, version, entry)
    counts.invalidations.sent += 1
    if (unannounced.get(key) === version) unannounced.delete(key)
  } catch {
    countError()
    overdue.add(key)
  }
}
// #endregion write

// #region reconnect
/** Is it known whether Redis is there? Before that this server has nothing to say about its health. */
export let settled = false

// Cleared when the subscription stands, not when it broke: what was filled in between missed its messages, too.
listen(
  (key, version) => l1.invalidate(key, version),
  () => {
    l1.clear()
    settled = true
  },
  () => (settled = true),
)

let away = false
// A Redis that comes back empty has forgotten which versions are too old for it.
onRedisLost(() => {
  away = true
  l1.voidFills()
})

function announceAgain(): void {
  for (const key of overdue) {
    overdue.delete(key)
    const version = unannounced.get(key)
    if (version !== undefined) void tell(key, version)
  }
}
onRedisBack(() => {
  away = false
  announceAgain()
})
// A command may time out on a connection that lives on. While there is none, each attempt would fail at once.
setInterval(() => {
  if (!away) announceAgain()
}, 500).unref()
// #endregion reconnect
