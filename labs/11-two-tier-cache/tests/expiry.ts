import type { Random } from '#harness'
import { insert, newKey, type Fleet } from './fleet.ts'

/** Fresh rows. */
export async function rows(
  fleet: Fleet,
  random: Random,
  count: number,
  value: unknown = 'v1',
): Promise<string[]> {
  const keys = Array.from({ length: count }, () => newKey(random))
  for (const key of keys) await insert(fleet, key, value)
  return keys
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
