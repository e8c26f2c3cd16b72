import { shared, type Random } from '#harness'
import { newKey, startFleet, type Fleet, type Server } from './fleet.ts'

export const L2_TTL_MS = 3_600_000

/** Servers that differ in what they remember, and for how long. */
export interface Expiring {
  fleet: Fleet
  s0: Server
  /** Forgets soon what does not exist. */
  s1: Server
  /** Has room for 50 entries. */
  small: Server
  /** Its L1 lives 300 ms. */
  brief: Server
}

export const expiringServers = (): Promise<Expiring> =>
  shared('expiring servers', async () => {
    const fleet = await startFleet(0)
    const [s0, s1, small, brief] = await Promise.all([
      fleet.server({ L2_TTL_MS }),
      fleet.server({ L2_TTL_MS, NEGATIVE_TTL_MS: 200 }),
      fleet.server({ L1_MAX: 50 }),
      fleet.server({ L1_TTL_MS: 300, REDIS_TIMEOUT_MS: 100 }),
    ])
    return { fleet, s0, s1, small, brief }
  })

/** Fresh rows. */
export async function rows(
  fleet: Fleet,
  random: Random,
  count: number,
  value: unknown = 'v1',
): Promise<string[]> {
  const keys = Array.from({ length: count }, () => newKey(random))
  const json = JSON.stringify(value)
  await fleet.db.sql('INSERT INTO items (key, value) SELECT key, $2 FROM unnest($1::text[]) key', [
    keys,
    json,
  ])
  return keys
}

/** What Redis keeps about each of these keys: names that contain the key. */
export async function namesIn(fleet: Fleet, keys: readonly string[]): Promise<Map<string, string[]>> {
  const all = await fleet.redis.client.keys('*')
  return new Map(keys.map((key) => [key, all.filter((name) => name.includes(key))]))
}

/**
 * The life that Redis still gives to what it keeps of each key: `Infinity` for ever, 0 for nothing. Where it is kept
 * under several names, the one that comes nearest to what an entry should have: a bare version may live on.
 */
export async function livesOf(fleet: Fleet, keys: readonly string[], expected: number): Promise<number[]> {
  const names = await namesIn(fleet, keys)
  const off = (life: number): number => Math.abs(life - expected)
  return Promise.all(
    keys.map(async (key) => {
      const left = await Promise.all(names.get(key)!.map((name) => fleet.redis.client.pttl(name)))
      const lives = left.map((life) => (life === -1 ? Infinity : Math.max(0, life)))
      return lives.toSorted((a, b) => off(a) - off(b))[0] ?? 0
    }),
  )
}

/** Takes from Redis all that it knows of a key. */
export async function dropFromRedis(fleet: Fleet, key: string): Promise<number> {
  const names = (await namesIn(fleet, [key])).get(key)!
  return names.length === 0 ? 0 : fleet.redis.client.del(...names)
}
