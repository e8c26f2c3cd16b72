import { Capacity, closedLoop, redis, say, type Answer } from '#harness'
import { percentile, type Measured } from '#harness/bench'
import { openFront, warmUp, type Front } from '../../labs/12-cache-stampede/tests/front.ts'

/** What Postgres carries here: 50 statements a second, one after another. */
const POSTGRES = { slots: 1, ms: 20 }
const SERVERS = 4

/** Four servers of the subject, warm, with one Postgres of known capacity behind them. */
export async function shop(env: Record<string, number> = {}, capacity = true): Promise<Front> {
  const front = await openFront(SERVERS, env)
  await warmUp(front)
  const node = new Capacity(POSTGRES)
  if (capacity) for (const link of front.toPostgres) link.capacity(node)
  return front
}

/** Their processes are gone. */
export const end = (front: Front): Promise<unknown> =>
  Promise.all(front.servers.map((server) => server.kill()))
/** Those with a value. */
export const good = (answers: readonly Answer[]): Answer[] => answers.filter(({ status }) => status === 200)
/** Milliseconds of each answer. */
export const times = (answers: readonly Answer[]): number[] => answers.map(({ ms }) => ms)
/** Seconds as they are read: `1.25`. */
export const seconds = (ms: number): string => (ms / 1000).toFixed(2)

/** An open loop: whoever comes, comes, whether or not the ones before have been answered. */
async function offered(
  perSecond: number,
  forSeconds: number,
  one: (i: number) => Promise<Answer>,
): Promise<Answer[]> {
  const all: Promise<Answer>[] = []
  const begun = performance.now()
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(perSecond * forSeconds, ((performance.now() - begun) / 1000) * perSecond)
      while (all.length < due) all.push(one(all.length))
      if (all.length < perSecond * forSeconds) return
      clearInterval(timer)
      resolve()
    }, 2)
  })
  return Promise.all(all)
}

/** A thousand readers of one cold key; `failed` of them got no value. */
export async function herd(): Promise<{ statements: number; longest: number; failed: number }> {
  const front = await shop()
  const key = await front.row()
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, i) => front.get(i % SERVERS, key, '', { within: 60_000 })),
  )
  const statements = await front.statements(key)
  await end(front)
  const served = good(answers)
  return { statements, longest: Math.max(0, ...times(served)), failed: answers.length - served.length }
}

/** A popular key that ends every second, read for so long. */
export async function expiry(beta: number, forSeconds: number): Promise<{ statements: number; p99: number }> {
  const front = await shop({ TTL_MS: 1000, STALE_MS: 0, XFETCH_BETA: beta }, false)
  for (const link of front.toPostgres) link.delay(100, { directions: 'reply' })
  const key = await front.row()
  await front.get(0, key)
  const before = await front.statements(key)
  const answers = await offered(300, forSeconds, (i) => front.get(i % SERVERS, key))
  const statements = (await front.statements(key)) - before
  await end(front)
  return { statements, p99: percentile(times(good(answers)), 0.99) }
}

/** Redis is killed, and every reader wants another key. */
export async function withoutRedis(
  forSeconds: number,
): Promise<Record<'goodput' | 'refused' | 'failed' | 'p99', number>> {
  const front = await shop({ DB_MAX_CONCURRENCY: 4, DB_QUEUE_MAX: 20 })
  const keys = await front.rows(200 * forSeconds)
  await redis('redis').kill()
  await Promise.all(front.servers.map((_, i) => front.get(i, keys[i]!)))
  const begun = performance.now()
  const answers = await offered(200, forSeconds, (i) =>
    front.get(i % SERVERS, keys[i]!, '', { within: 60_000 }),
  )
  const took = (performance.now() - begun) / 1000
  await end(front)
  await redis('redis').start()
  const served = good(answers)
  const refused = answers.filter(({ status }) => status === 503).length
  return {
    goodput: served.length / took,
    refused: refused / forSeconds,
    failed: answers.length - served.length - refused,
    p99: percentile(times(served), 0.99),
  }
}

/** Each level in turn, while rows change. */
export async function levels(forSeconds: number): Promise<Measured> {
  const front = await shop({}, false)
  const keys = await front.rows(20)
  const writers = await Promise.all(Array.from({ length: 8 }, () => front.db.client()))
  const figures: Record<string, number> = {}
  for (const level of ['strong', 'bounded', 'eventual']) {
    const ms: number[] = []
    await closedLoop(writers.length, forSeconds, async (client, turn) => {
      const key = keys[(client + turn) % keys.length]!
      if (turn % 10 === 9)
        await writers[client]!.query('UPDATE data SET value = to_jsonb($2::int) WHERE key = $1', [key, turn])
      else ms.push(...times(good([await front.get(client % SERVERS, key, `consistency=${level}`)])))
    })
    figures[`p50-${level}`] = percentile(ms, 0.5)
    figures[`p99-${level}`] = percentile(ms, 0.99)
  }
  await end(front)
  const line = Object.keys(figures)
    .filter((name) => name.startsWith('p50'))
    .map((name) => {
      const level = name.slice(4)
      return `${level} ${figures[name]!.toFixed(1)} / ${figures[`p99-${level}`]!.toFixed(1)} ms`
    })
    .join(', ')
  return { text: say(`p50 / p99: ${line}`, `p50 / p99：${line}`), figures }
}
