import { Random, eventually, same, say, type StartedPostgres, type Text } from '#harness'
import { defineBench, percentile, type BenchRow, type Measured } from '#harness/bench'
import { openCluster, type Cluster } from '../../labs/08-automatic-failover/tests/cluster.ts'
import { replaced, topologyOf, writable } from '../../labs/08-automatic-failover/tests/looks.ts'
import { startService, startWriters } from '../../labs/08-automatic-failover/tests/orders.ts'

interface Way {
  event: 'kill' | 'freeze'
  intervalMs: number
  threshold: number
  timeoutMs?: number
  synchronous?: boolean
  /** One of the tests powers the old primary on while the failover is under way. */
  comesBack?: boolean
}

interface Failover {
  detect: number
  promote: number
  clients: number
  total: number
  lost: number
  commit: number
  /** Looks that saw two writable nodes: before the old one was powered on, and after that, until it was fenced. */
  two: number
  twoBack: number
}

/** Milliseconds each way between two nodes. */
const REPLICATION_MS = 5
let seed = 1

class TooBusy extends Error {}

/** One failover under the load of four writers. */
async function failover(way: Way): Promise<Failover> {
  const random = new Random(++seed, 'bench')
  const { event, intervalMs, threshold, timeoutMs = 100, synchronous = false, comesBack = false } = way
  const env = {
    CHECK_INTERVAL_MS: intervalMs,
    CHECK_TIMEOUT_MS: timeoutMs,
    FAIL_THRESHOLD: threshold,
    LEASE_TTL_MS: Math.max(500, intervalMs),
    MIN_CANDIDATES: synchronous ? 2 : 1,
  }
  const cluster = await openCluster(random, { env, synchronous })
  const { primary, power, upstream } = cluster
  for (const link of upstream.all) link.delay(REPLICATION_MS)
  const { server } = await startService()
  const published = heard(cluster)
  const writers = startWriters([server])
  const more = (count: number) => {
    const before = writers.acknowledged.length
    return eventually(
      say('more orders', '注文が増える'),
      () => writers.acknowledged.length - before >= count,
      true,
      {
        within: 20_000,
      },
    )
  }
  await more(100)
  const peace = writers.times.slice(1).map((at, i) => at - writers.times[i]!)
  const roles = [server, ...cluster.controllers]
  const close = () => Promise.all(roles.map((role) => role.kill())) // the next one uses the same Redis
  if (power.calls.length > 0) {
    await writers.stop()
    await close()
    throw new TooBusy('the controllers took a busy machine for a failure')
  }
  const begun = performance.now()
  await (event === 'kill' ? primary.kill({ forGood: true }) : primary.freeze())
  const watching = watchTwo(cluster)
  let two = 0
  if (comesBack) {
    await new Promise((resolve) => setTimeout(resolve, random.int(0, 400)))
    two = watching.seen()
    await primary.start().catch(() => {}) // it may be fenced at this moment
  }
  // One that is back before anybody missed it is the primary still.
  if (!comesBack) await replaced(cluster)
  await more(comesBack ? 200 : 20)
  await writers.stop()
  const now = (await topologyOf(cluster))?.primary.name
  const next = cluster.nodes.find(({ name }) => name === now)!
  const seen = await watching.stop()
  if (!comesBack) two = seen
  const fence = power.asked('fence')[0]?.at ?? begun
  const told = published.at(next.name) ?? fence
  const first = writers.times.find((at) => at > told) ?? told
  const lost = await missing(next, writers.acknowledged)
  await close()
  return {
    detect: fence - begun,
    promote: told - fence,
    clients: first - told,
    total: writers.gap(),
    lost,
    // Four writers take turns: one waits as long as four answers are apart.
    commit: percentile(peace, 0.5) * 4,
    two,
    twoBack: seen - two,
  }
}

async function missing(node: StartedPostgres, ids: readonly string[]): Promise<number> {
  const rows = await node.sql('SELECT id FROM orders WHERE id = ANY($1)', [ids])
  return ids.length - rows.length
}

/** When the channel first named each primary. */
function heard({ redis }: Cluster): { at(name: string): number | undefined } {
  const times = new Map<string, number>()
  const subscriber = redis.connect()
  subscriber.on('message', (_channel, text) => {
    const { primary } = JSON.parse(text) as { primary: { name: string } }
    if (!times.has(primary.name)) times.set(primary.name, performance.now())
  })
  void subscriber.subscribe('pg:topology')
  return { at: (name) => times.get(name) }
}

/** Counts the looks that saw two writable nodes twice in a row: once, one may have been asked before the other. */
function watchTwo(cluster: Cluster): { seen(): number; stop(): Promise<number> } {
  let over = false
  let two = 0
  const seesTwo = async (): Promise<boolean> => (await writable(cluster, 300)).length > 1 && !over
  const watching = (async () => {
    while (!over) {
      if ((await seesTwo()) && (await seesTwo())) two++
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  return {
    seen: () => two,
    stop: async () => {
      over = true
      await watching
      return two
    },
  }
}

const jaMs = (n: number) => `${Math.round(n)}ms`

const inBoth = (parts: Text[]): Text =>
  say(parts.map(({ en }) => en).join('; '), parts.map(({ ja }) => ja).join('。'))

async function measure(way: Way, times: number): Promise<Measured> {
  const runs: Failover[] = []
  for (let i = 0, busy = 0; i < times; i++) {
    try {
      runs.push(await failover(way))
    } catch (error) {
      if (!(error instanceof TooBusy) || ++busy > 5) throw error
      i--
    }
  }
  const median = (of: keyof Failover) =>
    percentile(
      runs.map((run) => run[of]),
      0.5,
    )
  const sum = (of: keyof Failover) => runs.reduce((all, run) => all + run[of], 0)
  const worst = Math.max(...runs.map(({ total }) => total))
  const ms = (n: number) => `${Math.round(n)} ms`
  const parts = { detect: median('detect'), promote: median('promote'), clients: median('clients') }
  const commit = median('commit')
  const figures = {
    ...parts,
    total: median('total'),
    worst,
    lost: sum('lost'),
    two: sum('two'),
    twoBack: sum('twoBack'),
    commit,
    failovers: times,
  }
  const gap = say(
    `${ms(figures.total)} in the middle of ${times} (worst ${ms(worst)})`,
    `${times}回の中央値${jaMs(figures.total)}（最悪${jaMs(worst)}）`,
  )
  const lost = say(`acknowledged and lost ${figures.lost}`, `確認したのに失われたもの${figures.lost}`)
  const two = say(`looks at two writable ${figures.two}`, `二台書けた観測${figures.two}`)
  // One that is back before it was missed has not been replaced: the parts of a failover say nothing of it.
  if (way.comesBack) {
    const back = say(`after the return ${figures.twoBack}`, `戻ったあと${figures.twoBack}`)
    return { text: inBoth([gap, lost, two, back]), figures }
  }
  const split = say(
    `detection ${ms(parts.detect)}, fence and promotion ${ms(parts.promote)}, clients ${ms(parts.clients)}`,
    `検出${jaMs(parts.detect)}、隔離と昇格${jaMs(parts.promote)}、クライアント${jaMs(parts.clients)}`,
  )
  const price = say(`commit ${commit.toFixed(1)} ms`, `コミット${commit.toFixed(1)}ms`)
  const bars = [
    { label: say('detection', '検出'), value: parts.detect },
    { label: say('fence and promotion', '隔離と昇格'), value: parts.promote },
    { label: say('clients', 'クライアント'), value: parts.clients },
  ]
  return { text: inBoth([gap, split, lost, two, price]), figures, bars, unit: 'ms' }
}

const UNNOTICED = say(
  'never noticed, if a check has no time limit',
  'チェックに制限時間がなければ、気づかない',
)
const SEED = say('5,000 ms × 1: 2.5–5 s + promotion', '5,000ms×1：2.5〜5秒+昇格')

function row(id: string, way: Way, seedSays = same('–'), times = 3): BenchRow {
  const { event, intervalMs, threshold, synchronous } = way
  const what = event === 'kill' ? say('killed', '強制終了') : say('frozen', '凍結')
  const sync = synchronous ? ', ANY 1' : ''
  const timeoutMs = way.timeoutMs ?? 100
  const silent = intervalMs + (threshold - 1) * Math.max(intervalMs, timeoutMs) + timeoutMs
  // Observers tell and the leader acts once in an interval each.
  const limit = (event === 'kill' ? intervalMs * threshold : silent) + 2 * intervalMs
  return {
    id,
    title: say(
      `${what.en}, ${intervalMs} ms × ${threshold}${sync}`,
      `${what.ja}、${intervalMs}ms×${threshold}${sync}`,
    ),
    seed: seedSays,
    limit: say(`${limit} ms, fence, promotion, reconnect`, `${limit}ms、隔離、昇格、再接続`),
    measure: ({ full }) => measure(way, full ? Math.max(times, 20) : times),
  }
}

export default defineBench([
  row('kill-50x3', { event: 'kill', intervalMs: 50, threshold: 3 }),
  row('kill-100x3', { event: 'kill', intervalMs: 100, threshold: 3 }),
  row('kill-300x3', { event: 'kill', intervalMs: 300, threshold: 3 }),
  row('kill-1000x1', { event: 'kill', intervalMs: 1000, threshold: 1 }, SEED),
  row('freeze-50x3', { event: 'freeze', intervalMs: 50, threshold: 3 }, UNNOTICED),
  row('freeze-100x3', { event: 'freeze', intervalMs: 100, threshold: 3 }, UNNOTICED),
  row('freeze-300x3', { event: 'freeze', intervalMs: 300, threshold: 3 }, UNNOTICED),
  row('freeze-1000x1', { event: 'freeze', intervalMs: 1000, threshold: 1 }, UNNOTICED),
  row('sync-50x3', { event: 'kill', intervalMs: 50, threshold: 3, synchronous: true }),
  row(
    'sync-comes-back',
    { event: 'kill', intervalMs: 50, threshold: 3, synchronous: true, comesBack: true },
    same('–'),
    5,
  ),
])
