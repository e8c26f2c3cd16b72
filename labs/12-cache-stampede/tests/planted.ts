import type { Front } from './front.ts'

export interface Planted {
  value?: unknown
  version?: number
  /** Milliseconds since its query was sent. */
  age?: number
  deltaMs?: number
  /** Milliseconds of fresh life that are left; negative: stale since then. */
  left?: number
}

/** Puts an entry into Redis as any service may. Without an expiry, so that only its fields say what it is. */
export async function plant(front: Front, key: string, entry: Planted = {}): Promise<void> {
  const now = Date.now()
  await front.redis.client.hset(`entry:${key}`, {
    value: JSON.stringify(entry.value ?? 'planted'),
    version: entry.version ?? 1,
    fetchedAt: now - (entry.age ?? 0),
    deltaMs: entry.deltaMs ?? 1,
    freshUntil: now + Math.round(entry.left ?? 100_000),
  })
}

/** The same for a row that does not exist. */
export async function plantAbsent(front: Front, key: string, left: number): Promise<void> {
  const now = Date.now()
  await front.redis.client.hset(`entry:${key}`, {
    absent: 1,
    fetchedAt: now,
    deltaMs: 1,
    freshUntil: now + left,
  })
}
