import { link, postgres, Random, redis, type Database, type Link, type StartedRedis } from '#harness'
import { startServer, type Server } from '../../labs/11-two-tier-cache/tests/fleet.ts'

/** One server carries one request at a time for 5 ms: 200 a second, whatever the machine. */
export const CAPACITY = { slots: 1, ms: 5 }

/** A server, and the door through which the load comes. */
export interface Measured extends Server {
  door: Link
}

export interface Field {
  db: Database
  redis: StartedRedis
  servers: Measured[]
  /** Kills the servers. */
  end: () => Promise<void>
}

/** Servers without anything that listens to what they do. */
export async function field(count: number, env: Record<string, number> = {}): Promise<Field> {
  const cache = redis('redis')
  await cache.client.flushall()
  const db = await postgres('pg').database()
  const settings = { L1_TTL_MS: 600_000, REDIS_TIMEOUT_MS: 1000, ...env }
  const servers = await Promise.all(
    Array.from({ length: count }, async (_, i): Promise<Measured> => {
      const server = await startServer(`s${i}`, db, cache, settings)
      const door = await link('load', { name: server.name, port: server.role.port })
      return { ...server, door }
    }),
  )
  return {
    db,
    redis: cache,
    servers,
    end: async () => void (await Promise.all(servers.map(({ role }) => role.kill()))),
  }
}

export async function rowsOf(db: Database, count: number): Promise<void> {
  await db.sql("INSERT INTO items (key, value) SELECT 'k' || n, '0' FROM generate_series(1, $1) n", [count])
}

/** Draws keys `k1`, `k2`, … by Zipf's law: the first is asked for most. */
export function zipf(count: number, random: Random, exponent = 1): () => string {
  const weights = Array.from({ length: count }, (_, i) => 1 / (i + 1) ** exponent)
  const total = weights.reduce((sum, weight) => sum + weight)
  return () => {
    let at = random.next() * total
    for (let i = 0; i < count; i++) if ((at -= weights[i]!) < 0) return `k${i + 1}`
    return 'k1'
  }
}

/** Open loop: so many a second, whatever the answers take. Milliseconds of each, in order of ending. */
export async function openLoop(
  perSecond: number,
  seconds: number,
  one: (n: number) => Promise<unknown>,
): Promise<number[]> {
  const latencies: number[] = []
  const begun = performance.now()
  const calls: Promise<void>[] = []
  for (let n = 0; n < perSecond * seconds; n++) {
    const due = begun + (n * 1000) / perSecond
    const early = due - performance.now()
    if (early > 0) await new Promise((resolve) => setTimeout(resolve, early))
    calls.push(one(n).then(() => void latencies.push(performance.now() - due)))
  }
  await Promise.all(calls)
  return latencies
}

/** Milliseconds from now until this server answers that; -1 if it does not within the time. */
export async function until(server: Server, key: string, value: unknown, within: number): Promise<number> {
  const begun = performance.now()
  for (;;) {
    const { body } = await server.get(key)
    const ms = performance.now() - begun
    if (body?.value === value) return ms
    if (ms > within) return -1
  }
}

/** Bytes that Redis has sent and commands that it has done so far. */
export async function workOf(cache: StartedRedis): Promise<{ bytes: number; commands: number }> {
  const info = await cache.client.info('stats')
  const number = (name: string): number => Number(new RegExp(`${name}:(\\d+)`).exec(info)?.[1])
  return { bytes: number('total_net_output_bytes'), commands: number('total_commands_processed') }
}
