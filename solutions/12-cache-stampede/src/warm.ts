import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { WARM_BATCH, WARM_LIMIT, WARM_MIN_ACCESS, WARM_PAUSE_MS } from './config.ts'
import { closeDatabase, rows } from './database.ts'
import { extend, fill, freshUntil, lock, read, unlock, type Entry } from './entries.ts'
import { connect, redis } from './redis.ts'

interface Popular {
  key: string
  entry: Required<Entry>
}

/** The most read rows, in one statement. */
async function popular(): Promise<Popular[]> {
  const fetchedAt = Date.now()
  const found = await rows<{ key: string; value: unknown; version: string }>(
    'SELECT key, value, version FROM data WHERE access_count > $1 ORDER BY access_count DESC LIMIT $2',
    [WARM_MIN_ACCESS, WARM_LIMIT],
  )
  const deltaMs = Date.now() - fetchedAt
  return found.map(({ key, value, version }) => ({
    key,
    entry: { row: { value, version: Number(version) }, fetchedAt, deltaMs, freshUntil: 0 },
  }))
}

// #region warm
async function warm(token: string): Promise<{ warmed: number; skipped: number; batches: number }> {
  const items = await popular()
  const cold: Popular[] = []
  for (const item of items) {
    const there = await read(item.key)
    if (!there?.row || there.freshUntil <= Date.now()) cold.push(item)
  }
  let warmed = 0
  let skipped = items.length - cold.length
  let batches = 0
  for (let from = 0; from < cold.length; from += WARM_BATCH) {
    if (from > 0) await pause(WARM_PAUSE_MS)
    // Lost: another one is at work by now.
    if (!(await extend('warm', token))) break
    const batch = cold.slice(from, from + WARM_BATCH)
    const stored = await Promise.all(
      batch.map(({ key, entry }) => fill(key, { ...entry, freshUntil: freshUntil(true) })),
    )
    const done = stored.filter(Boolean).length
    warmed += done
    // Redis had a newer one by then.
    skipped += batch.length - done
    batches++
  }
  return { warmed, skipped, batches }
}
// #endregion warm

try {
  await connect()
  const token = randomUUID()
  let done = { warmed: 0, skipped: 0, batches: 0 }
  if (await lock('warm', token)) {
    try {
      done = await warm(token)
    } finally {
      await unlock('warm', token)
    }
  }
  console.log(JSON.stringify(done))
} catch (error) {
  console.error('warm', error)
  process.exitCode = 1
} finally {
  redis.disconnect()
  await closeDatabase()
}
