import { randomUUID } from 'node:crypto'
import { expect, link, say, startRole, type Answer, type Link, type StartedRole } from '#harness'
import { patience, type Cluster } from './cluster.ts'

/** Longest that a request may take: `WRITE_TIMEOUT_MS` and 500 ms, on a machine that has nothing else to do. */
export const WRITE_TIMEOUT_MS = 500
const SLACK_MS = 500 * patience

export interface Service {
  server: StartedRole
  /** From the server to Redis. */
  toRedis: Link
}

/** An order service that finds the cluster by Redis alone. */
export async function startService({ redis }: Pick<Cluster, 'redis'>, name = 'server-1'): Promise<Service> {
  const toRedis = await link(name, redis)
  const env = { REDIS_URL: redis.url(toRedis), WRITE_TIMEOUT_MS }
  return { server: await startRole('server', { name, env }), toRedis }
}

export const newOrder = (item = 'book') => ({ id: randomUUID(), item })

/** A 503 says when to come back, and no answer takes longer than it may. */
export function expectInTime(answer: Answer, server: StartedRole): void {
  const what = say(`milliseconds of an answer of ${server.name}`, `${server.name}の応答にかかったミリ秒`)
  expect(answer.ms, what, { hint: 3 }).toBeLessThan(WRITE_TIMEOUT_MS + SLACK_MS)
  if (answer.status === 503)
    expect(answer.headers['retry-after'], say('Retry-After of a 503', '503のRetry-After'), {
      hint: 3,
    }).toBeDefined()
}

export interface Writers {
  /** Ids of acknowledged orders, in the order of their answers. */
  acknowledged: string[]
  /** When each of them was, as `performance.now()` tells it; first of all, when the writers began. */
  times: number[]
  /** Longest time without an acknowledgement, in milliseconds. */
  gap(): number
  /** Ends them; each repeats its last order until it is acknowledged. */
  stop(): Promise<void>
}

/** Clients that write new orders one after the other, each repeated until it is acknowledged. */
export function startWriters(servers: readonly StartedRole[], count = 4): Writers {
  const acknowledged: string[] = []
  const times: number[] = [performance.now()]
  let stopping = false
  const writer = async (n: number): Promise<void> => {
    const server = servers[n % servers.length]!
    while (!stopping) {
      const order = newOrder(`writer ${n}`)
      for (;;) {
        const answer = await server.post('/orders', order, { within: 3000 })
        expectInTime(answer, server)
        if (answer.status === 201 || answer.status === 200) break
        expect(answer, say('an answer while the primary changes', 'プライマリが替わる間の応答'), {
          hint: 3,
        }).toAnswer(503)
        // As a client does that was told to come back: not at once.
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      acknowledged.push(order.id)
      times.push(performance.now())
    }
  }
  const all = Promise.all(Array.from({ length: count }, (_, n) => writer(n)))
  all.catch(() => {}) // told by stop()
  return {
    acknowledged,
    times,
    gap: () => Math.max(...times.slice(1).map((at, i) => at - times[i]!)),
    async stop() {
      stopping = true
      await all
    },
  }
}
