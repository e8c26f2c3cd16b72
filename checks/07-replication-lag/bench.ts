import { setTimeout as sleep } from 'node:timers/promises'
import { Random, replicationLink, same, say, type StartedRole } from '#harness'
import { defineBench, percentile, type BenchRow, type BenchTools, type Measured } from '#harness/bench'
import { synchronous } from '../../labs/07-replication-lag/tests/commits.ts'
import { interleave } from '../../labs/07-replication-lag/tests/interleavings.ts'
import {
  behind,
  newId,
  openShop,
  read,
  report,
  tokenOf,
  type Shop,
} from '../../labs/07-replication-lag/tests/shop.ts'

/** The path of replication: what it carries in a second, and how long the way is. */
const PATH = { bytesPerSecond: 400_000, ms: 5 }
const LOOK_MS = 10

const tight = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)}ms`
const ms = (value: number): string => tight(value).replace('ms', ' ms')

/** Every so often the next inserts are sent. */
const TICK_MS = 10

/**
 * An open loop: so many inserts a second, each a transaction of its own, whatever the replicas do. The server loops: one
 * statement for each tick is little enough work for any machine. Returns the rate that was reached.
 */
async function inserts(shop: Shop, perSecond: number, seconds: number): Promise<number> {
  const many = Math.max(1, Math.round((perSecond * TICK_MS) / 1000))
  const begun = performance.now()
  let sent = 0
  for (; sent < perSecond * seconds; sent += many) {
    await sleep(Math.max(0, begun + (sent / perSecond) * 1000 - performance.now()))
    await shop.db.sql(
      `DO $$BEGIN FOR i IN 1..${many} LOOP
         INSERT INTO orders VALUES ('bench-' || ${sent} + i, 1, repeat('x', 100)); COMMIT;
       END LOOP; END$$`,
    )
  }
  return (sent / (performance.now() - begun)) * 1000
}

/** What the subject says of replica-1, until told to stop. */
function watch(server: StartedRole): { stop(): Promise<number[]> } {
  const seen: number[] = []
  let over = false
  const looking = (async () => {
    while (!over) {
      seen.push(((await report(server)).replicas[0]?.lagSeconds ?? Number.NaN) * 1000)
      await sleep(LOOK_MS)
    }
  })()
  return {
    stop: async () => {
      over = true
      await looking
      return seen
    },
  }
}

async function lagAt(perSecond: number, full: boolean): Promise<Measured> {
  const shop = await openShop()
  const server = await shop.server('server-a')
  const wire = await replicationLink(shop.replica1, shop.primary)
  await shop.calm()
  wire.rate(PATH.bytesPerSecond)
  wire.delay(PATH.ms)
  const watching = watch(server)
  const reached = await inserts(shop, perSecond, full ? 10 : 1.5)
  const ended = performance.now()
  const left = await behind(shop, shop.replica1)
  await shop.primary.caughtUp([shop.replica1])
  const drained = performance.now() - ended
  const lags = await watching.stop()
  await wire.open()
  const average = lags.reduce((sum, lag) => sum + lag, 0) / lags.length
  const figures = { average, p99: percentile(lags, 0.99), max: Math.max(...lags), drained, left, reached }
  return {
    text: say(
      `average ${ms(average)}, p99 ${ms(figures.p99)}, max ${ms(figures.max)}; ${Math.round(left / 1000)} kB left at the end of ${Math.round(reached)} inserts a second, gone after ${ms(drained)}`,
      `平均${tight(average)}、p99 ${tight(figures.p99)}、最大${tight(figures.max)}。毎秒${Math.round(reached)}件を終えた時点の残り${Math.round(left / 1000)}kB、解消まで${tight(drained)}`,
    ),
    figures,
    unit: 'ms',
    bars: [
      { label: say('average', '平均'), value: average },
      { label: same('p99'), value: figures.p99 },
      { label: say('max', '最大'), value: figures.max },
    ],
  }
}

function lagRow(perSecond: number, [average, max, p99]: [number, number, number]): BenchRow {
  return {
    id: `lag-${perSecond}`,
    title: say(`Lag at ${perSecond} inserts a second`, `毎秒${perSecond}件の挿入での遅延`),
    seed: say(
      `average ${average} ms, p99 ${p99} ms, max ${max} ms`,
      `平均${average}ms、p99 ${p99}ms、最大${max}ms`,
    ),
    limit: say('400 kB/s, 5 ms each way', '毎秒400kB、片道5ms'),
    measure: ({ full }) => lagAt(perSecond, full),
  }
}

const LEVELS = ['off', 'local', 'remote_write', 'on', 'remote_apply']

/** The median of 40 writes at each level, with a way of 5 ms to both replicas and one that has to confirm. */
async function levels(): Promise<Measured> {
  const shop = await openShop()
  const server = await shop.server('server-a', { DURABILITY_TIMEOUT_MS: 5000 })
  const wires = [
    await replicationLink(shop.replica1, shop.primary),
    await replicationLink(shop.replica2, shop.primary),
  ]
  for (const wire of wires) wire.delay(PATH.ms)
  await synchronous(shop)
  const figures: Record<string, number> = {}
  for (const durability of LEVELS) {
    const times: number[] = []
    for (let i = 0; i < 40; i++)
      times.push((await server.post('/orders', { id: newId(), userId: 1, status: 'paid', durability })).ms)
    figures[durability] = percentile(times, 0.5)
  }
  const text = LEVELS.map((level) => `${level} ${ms(figures[level]!)}`).join(', ')
  return {
    text: same(text),
    figures,
    unit: 'ms',
    bars: LEVELS.map((level) => ({ label: same(level), value: figures[level]! })),
  }
}

const LAGS = [5, 100, 1500]

/** Of ten reads after a write, spread over a second, how many the primary had to answer, and how many were stale. */
async function policyAt(lagMs: number): Promise<{ primary: number; stale: number }> {
  const shop = await openShop()
  const servers = await Promise.all([shop.server('server-a'), shop.server('server-b')])
  const wires = [
    await replicationLink(shop.replica1, shop.primary),
    await replicationLink(shop.replica2, shop.primary),
  ]
  await shop.calm()
  for (const wire of wires) wire.delay(lagMs)
  const reads = await shop.counting()
  let stale = 0
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      const id = newId()
      const written = await servers[0]!.post('/orders', { id, userId: 1, status: 'paid' })
      const token = tokenOf(written)
      for (let i = 0; i < 10; i++) {
        if ((await read(servers[i % 2]!, id, { token })).status !== 200) stale++
        await sleep(100)
      }
    }),
  )
  const count = await reads()
  for (const wire of wires) await wire.open()
  const primary = servers.reduce((sum, server) => sum + count(server).primary, 0)
  await Promise.all(servers.map((server) => server.kill()))
  return { primary, stale }
}

async function policies({ besides }: BenchTools): Promise<Measured> {
  const figures: Record<string, number> = {}
  const measure = async (name: string): Promise<string> => {
    const parts: string[] = []
    for (const lag of LAGS) {
      const { primary, stale } = await policyAt(lag)
      figures[`${name}-${lag}-primary`] = primary
      figures[`${name}-${lag}-stale`] = stale
      parts.push(`${primary}/${stale}`)
    }
    return parts.join(', ')
  }
  const own = await measure('own')
  const back = await besides('mutant:own-writes--seed-clock-map')
  const clock = await measure('clock')
  await back()
  return {
    text: say(
      `on the primary / stale, of 100 reads, at 5, 100 and 1,500 ms: yours ${own}; the clock ${clock}`,
      `100回のうちプライマリ/古い読み取り（5、100、1,500ms）：あなたの実装は${own}、時計は${clock}`,
    ),
    figures,
  }
}

/** Thousands of writes read back at a random server while replay comes and goes. */
async function stale({ full, besides }: BenchTools): Promise<Measured> {
  const measure = async (times: number): Promise<{ reads: number; stale: number }> => {
    const shop = await openShop()
    const servers = await Promise.all([shop.server('server-a'), shop.server('server-b')])
    const { reads, stale: old } = await interleave(shop, servers, new Random(1, 'stale'), {
      users: 10,
      times,
    })
    await Promise.all(servers.map((server) => server.kill()))
    return { reads, stale: old.length }
  }
  const own = await measure(full ? 1000 : 300)
  const back = await besides('mutant:own-writes--seed-clock-map')
  const clock = await measure(30)
  await back()
  return {
    text: say(
      `stale reads: yours ${own.stale} of ${own.reads}; the clock ${clock.stale} of ${clock.reads}`,
      `古い読み取り：あなたの実装は${own.reads}回中${own.stale}回、時計は${clock.reads}回中${clock.stale}回`,
    ),
    figures: { reads: own.reads, stale: own.stale, clockReads: clock.reads, clockStale: clock.stale },
  }
}

export default defineBench([
  lagRow(100, [50, 200, 150]),
  lagRow(500, [100, 500, 300]),
  lagRow(1000, [200, 1000, 700]),
  lagRow(2000, [500, 3000, 2000]),
  {
    id: 'levels',
    title: say('One write, by synchronous_commit', 'synchronous_commitごとの書き込み時間'),
    seed: same('–'),
    limit: say('one round trip of 10 ms from remote_write on', 'remote_write以上は往復10ms'),
    measure: levels,
  },
  {
    id: 'policies',
    title: say('Reads that the primary answers', 'プライマリが答える読み取り'),
    seed: same('–'),
    measure: policies,
  },
  {
    id: 'stale',
    title: say('Stale reads, replay paused and resumed', '再生の停止と再開の中での古い読み取り'),
    seed: same('–'),
    limit: same('0'),
    measure: stale,
  },
])
