import { randomUUID } from 'node:crypto'
import {
  eventually,
  expect,
  link,
  redis,
  say,
  startRole,
  type Answer,
  type Link,
  type StartedRole,
  type Text,
} from '#harness'

/** Longest that a request may take. */
const WRITE_TIMEOUT_MS = 300
/** A bound against a hang: a busy machine has many times as long. */
const ANSWER_MS = 2500

export interface Service {
  server: StartedRole
  /** From the server to Redis. */
  toRedis: Link
}

/** An order service that finds the cluster by Redis alone. */
export async function startService(name = 'server-1'): Promise<Service> {
  const store = redis('redis')
  const toRedis = await link(name, store)
  const env = { REDIS_URL: store.url(toRedis), WRITE_TIMEOUT_MS }
  return { server: await startRole('server', { name, env }), toRedis }
}

export const newOrder = (item = 'book') => ({ id: randomUUID(), item })

/** A 503 says when to come back, and no answer takes longer than it may. */
export function expectInTime(answer: Answer, server: StartedRole): void {
  const what = say(`milliseconds of an answer of ${server.name}`, `${server.name}の応答にかかったミリ秒`)
  expect(answer.ms, what, { hint: 3 }).toBeLessThan(ANSWER_MS)
  if (answer.status === 503)
    expect(answer.headers['retry-after'], say('Retry-After of a 503', '503のRetry-After'), {
      hint: 3,
    }).toBeDefined()
}

/** The answer to a request that is repeated as long as it is a 503: whoever gets one knows nothing. */
export async function settled(label: Text, ask: () => Promise<Answer>): Promise<Answer> {
  let answer: Answer | undefined
  await eventually(
    label,
    async () => (answer = await ask()).status,
    (status) => status !== 503,
    { within: 8000, every: AGAIN_MS },
  )
  return answer!
}

/** An order that was answered with 201. After a 503 it may be there already: each look has a new one. */
export async function takenBy(server: StartedRole): Promise<{ id: string; item: string }> {
  const answers: Answer[] = []
  let order = newOrder()
  await eventually(
    say(`201 of ${server.name} for a new order`, `${server.name}が新しい注文に201を返す`),
    async () => {
      order = newOrder()
      answers.push(await server.post('/orders', order, { within: 3 * ANSWER_MS }))
      return answers.at(-1)!.status
    },
    201,
    { within: 8000, every: AGAIN_MS },
  )
  for (const answer of answers) {
    expect(answer, say('an order before that', 'それまでの注文')).toAnswer([503, 201])
    expectInTime(answer, server)
  }
  return order
}

/** A client that was told to come back does not do so at once. */
const AGAIN_MS = 10

export interface Writers {
  /** Ids of acknowledged orders, in the order of their answers. */
  acknowledged: string[]
  /** When each of them was, as `performance.now()` tells it; first of all, when the writers began. */
  times: number[]
  /** Longest time without an acknowledgement, in milliseconds. */
  gap(): number
  /** Waits until so many more orders are acknowledged. */
  more(count: number, label: Text): Promise<void>
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
        const answer = await server.post('/orders', order, { within: 3 * ANSWER_MS })
        expectInTime(answer, server)
        if (answer.status === 201 || answer.status === 200) break
        expect(answer, say('an answer while the primary changes', 'プライマリが替わる間の応答'), {
          hint: 3,
        }).toAnswer(503)
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS))
      }
      acknowledged.push(order.id)
      times.push(performance.now())
    }
  }
  const all = Promise.all(Array.from({ length: count }, (_, n) => writer(n)))
  all.catch(() => {}) // told by more() and stop()
  return {
    acknowledged,
    times,
    gap: () => Math.max(...times.slice(1).map((at, i) => at - times[i]!)),
    async more(count, label) {
      const before = acknowledged.length
      const there = eventually(
        label,
        () => acknowledged.length - before,
        (n) => n >= count,
        { within: 20_000 },
      )
      // A writer that was answered wrongly says why; nobody need wait for the others.
      await Promise.race([there, all])
    },
    async stop() {
      stopping = true
      await all
    },
  }
}
