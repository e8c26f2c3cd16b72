import { Random } from '#harness'
import { percentile } from '#harness/bench'
import { field, openLoop, rowsOf, until, workOf, type Field } from './measuring.ts'

/** From the answer of a PUT to the first new answer of each other server. */
export async function propagation(servers: Field['servers'], rounds: number): Promise<number[]> {
  const [writer, ...others] = servers
  const delays: number[] = []
  for (let i = 1; i <= rounds; i++) {
    for (const server of [...others, ...others]) await server.get('k1')
    await writer!.put('k1', i)
    const each = await Promise.all(others.map((server) => until(server, 'k1', i, 5000)))
    if (each.includes(-1)) throw new Error('an invalidation did not arrive within 5 s')
    delays.push(...each)
  }
  return delays
}

export function summary(delays: number[]): { p50: number; p99: number; max: number } {
  return { p50: percentile(delays, 0.5), p99: percentile(delays, 0.99), max: Math.max(...delays) }
}

/** What one PUT costs, the reads of its 3 readers included. */
export interface Transport {
  p50: number
  p99: number
  /** That leave Redis. */
  bytes: number
  /** That Redis is given. */
  commands: number
  /** Invalidations that servers have received, as they count themselves. */
  messages: number
}

export async function transport(): Promise<Transport> {
  const { db, redis, servers, end } = await field(4)
  await rowsOf(db, 1)
  await propagation(servers, 20)
  const before = { ...(await workOf(redis)), messages: await receivedBy(servers) }
  const delays = await propagation(servers, 100)
  const after = { ...(await workOf(redis)), messages: await receivedBy(servers) }
  await end()
  const { p50, p99 } = summary(delays)
  const per = (name: 'bytes' | 'commands' | 'messages'): number => (after[name] - before[name]) / 100
  return { p50, p99, bytes: per('bytes'), commands: per('commands'), messages: per('messages') }
}

async function receivedBy(servers: Field['servers']): Promise<number> {
  const each = await Promise.all(
    servers.map(async ({ role }) => (await role.get('/metrics')).body?.invalidations?.received as number),
  )
  return each.reduce((sum, received) => sum + received, 0)
}

/** Reads older than a PUT that was answered before they began, by thousand. */
export async function staleReads(silent: boolean): Promise<number> {
  const { db, servers, end } = await field(4, { L1_TTL_MS: 1000, REDIS_TIMEOUT_MS: 50 })
  await rowsOf(db, 5)
  const [writer] = servers
  for (const { toPg } of servers) toPg.delay(2, { jitter: 6, directions: 'reply' })
  for (const server of servers) for (let k = 1; k <= 5; k++) await server.get(`k${k}`)
  if (silent) for (const { toRedis } of servers.slice(1)) toRedis.blackHole()
  const known = new Map<string, number>()
  const random = new Random(1, 'stale')
  let [stale, reads] = [0, 0]
  let value = 0
  await openLoop(150, 6, async (n) => {
    const key = `k${random.int(1, 5)}`
    if (n % 10 === 0) {
      const mine = ++value
      if ((await writer!.put(key, mine)).status === 200) known.set(key, Math.max(mine, known.get(key) ?? 0))
      return
    }
    const least = known.get(key) ?? 0
    const { body } = await random.pick(servers).get(key)
    reads++
    if (typeof body?.value === 'number' && body.value < least) stale++
  })
  await end()
  return (stale / reads) * 1000
}
