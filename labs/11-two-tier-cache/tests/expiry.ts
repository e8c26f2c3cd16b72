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

/** Does it for each of them, twenty at a time. */
export async function forAll(keys: readonly string[], one: (key: string) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < keys.length; i += 20) await Promise.all(keys.slice(i, i + 20).map(one))
}

/** What Redis keeps about each of these keys: names that contain the key. */
export async function namesIn(fleet: Fleet, keys: readonly string[]): Promise<Map<string, string[]>> {
  const all = await fleet.redis.client.keys('*')
  return new Map(keys.map((key) => [key, all.filter((name) => name.includes(key))]))
}

/** The longest life that Redis still gives to what it keeps of each key: `Infinity` for ever, 0 for nothing. */
export async function livesOf(fleet: Fleet, keys: readonly string[]): Promise<number[]> {
  const names = await namesIn(fleet, keys)
  return Promise.all(
    keys.map(async (key) => {
      const lives = await Promise.all(names.get(key)!.map((name) => fleet.redis.client.pttl(name)))
      return Math.max(0, ...lives.map((life) => (life === -1 ? Infinity : life)))
    }),
  )
}

/** Takes from Redis all that it knows of a key. */
export async function dropFromRedis(fleet: Fleet, key: string): Promise<number> {
  const names = (await namesIn(fleet, [key])).get(key)!
  return names.length === 0 ? 0 : fleet.redis.client.del(...names)
}
