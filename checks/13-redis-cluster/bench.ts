import { load, Random, say, show, type Text } from '#harness'
import { defineBench, percentile, type Measured } from '#harness/bench'
import {
  addProducts,
  newIds,
  names,
  openShop,
  path,
  warm,
  type Shop,
} from '../../labs/13-redis-cluster/tests/shop.ts'
import { newKey, openRegisters, put, read } from '../../labs/13-redis-cluster/tests/registers.ts'
import { randomCuts } from './cuts.ts'
import { failure, longest, rounded } from './failures.ts'

/** What one cache node carries: one command at a time, 4 ms each, 250 a second. Both cores together do more. */
const CAPACITY = { slots: 1, ms: 4 }
const CLIENTS = 60

/** Reads a second over these products, all of them in the cache. */
async function readsPerSecond(shop: Shop, ids: readonly string[], seconds: number): Promise<number> {
  // Each group of clients goes through the products in an order of its own, or all would stand in one queue after another.
  const groups = Array.from({ length: CLIENTS / 5 }, (_, group) =>
    load({
      url: shop.a.url,
      connections: 5,
      duration: seconds,
      requests: new Random(group).shuffle(ids).map((id) => ({ method: 'GET' as const, path: path(id) })),
    }),
  )
  const results = await Promise.all(groups)
  const wrong = results.reduce((sum, { non2xx, errors }) => sum + non2xx + errors, 0)
  if (wrong > 0) throw new Error(`${wrong} reads failed`)
  return results.reduce((sum, { perSecond }) => sum + perSecond, 0)
}

async function scaling(full: boolean): Promise<Measured> {
  const shop = await openShop({ REDIS_TIMEOUT_MS: 5000 })
  const products = await addProducts(shop, newIds(90))
  for (const { id } of products) await warm(shop.a, id)
  const held = await shop.cluster.keys()
  const byNode = held.map((keys) =>
    products.map(({ id }) => id).filter((id) => keys.some((k) => names(k, id))),
  )
  for (const link of shop.cluster.links) link.capacity(CAPACITY)
  const fewest = Math.min(...byNode.map((ids) => ids.length))
  const rates: number[] = []
  for (const nodes of [1, 2, 3]) {
    // As many from each node.
    const ids = byNode.slice(0, nodes).flatMap((all) => all.slice(0, fewest))
    rates.push(await readsPerSecond(shop, ids, full ? 10 : 2))
  }
  const hot = await readsPerSecond(shop, byNode[0]!.slice(0, 1), full ? 10 : 2)
  const text = rates.map((rate) => String(Math.round(rate))).join(' : ')
  return {
    text: say(
      `${text} reads/s on 1, 2, 3 nodes; one hot key: ${Math.round(hot)}`,
      `1、2、3台で毎秒${text}回。一つのホットキーだけなら${Math.round(hot)}回`,
    ),
    figures: {
      'perSecond-1': Math.round(rates[0]!),
      'perSecond-2': Math.round(rates[1]!),
      'perSecond-3': Math.round(rates[2]!),
      'perSecond-hot': Math.round(hot),
    },
    bars: [...rates, hot].map((value, i) => ({
      label: i < 3 ? say(`${i + 1} nodes`, `ノード${i + 1}台`) : say('one hot key', 'ホットキー一つ'),
      value,
    })),
    unit: 'req/s',
  }
}

async function timeline(full: boolean): Promise<Measured> {
  const cases = [[200, 'yes'], [200, 'no'], [1000, 'yes'], ...(full ? [[5000, 'yes']] : [])] as [
    number,
    'yes' | 'no',
  ][]
  const figures: Record<string, number> = {}
  const parts: Text[] = []
  for (const [timeout, coverage] of cases) {
    const seen = await failure(timeout, coverage)
    Object.assign(figures, rounded(seen, `${timeout}-${coverage}`))
    const ms = (name: string): number => Math.round(seen[name]!)
    parts.push(
      say(
        `node timeout ${timeout}, full coverage ${coverage}: noticed after ${ms('noticed')} ms, open ${ms('open')} ms after the start, ${ms('bypassPercent')} % bypass, ${ms('failed')} failed, P99 ${ms('p99')} ms`,
        `node timeout ${timeout}、full coverage ${coverage}：${ms('noticed')} msで気づき、起動から${ms('open')} msで開く。bypass ${ms('bypassPercent')} %、失敗${ms('failed')}件、P99 ${ms('p99')} ms`,
      ),
    )
  }
  return { text: say(parts.map(({ en }) => en).join('; '), parts.map(({ ja }) => ja).join('。')), figures }
}

async function register(write: number, wanted: number, calls: number): Promise<Record<string, number>> {
  const registers = await openRegisters({ WRITE_QUORUM: write, READ_QUORUM: wanted, QUORUM_TIMEOUT_MS: 2000 })
  registers.links.link('quorum-a', 'q5').delay(25) // there and back
  const key = newKey()
  const times = { put: [] as number[], get: [] as number[] }
  for (let i = 0; i < calls; i++) {
    const [written, found] = [await put(registers.a, key, i), await read(registers.a, key)]
    if (written.status !== 200 || found.status !== 200)
      throw new Error(`${show(written.body)} ${show(found.body)}`)
    times.put.push(written.ms)
    times.get.push(found.ms)
  }
  await Promise.all([registers.a.kill(), registers.b.kill()])
  return {
    putP50: percentile(times.put, 0.5),
    putP99: percentile(times.put, 0.99),
    getP50: percentile(times.get, 0.5),
    getP99: percentile(times.get, 0.99),
  }
}

async function quorums(full: boolean): Promise<Measured> {
  const figures: Record<string, number> = {}
  const texts: string[] = []
  for (const [write, wanted] of [
    [3, 3],
    [4, 2],
    [5, 1],
  ] as const) {
    const seen = await register(write, wanted, full ? 500 : 60)
    Object.assign(figures, rounded(seen, `${write}-${wanted}`))
    texts.push(
      `(${write}, ${wanted}) PUT ${Math.round(seen.putP50!)} / ${Math.round(seen.putP99!)}, GET ${Math.round(seen.getP50!)} / ${Math.round(seen.getP99!)} ms`,
    )
  }
  return { text: say(texts.join('; '), texts.join('。')), figures }
}

const NONE = say('–', '–')

export default defineBench([
  {
    id: 'nodes',
    title: say(
      'Reads of keys on 1, 2, 3 nodes, each with the capacity of 250 commands/s; one hot key',
      '1、2、3台にあるキーの読み取り。1台は毎秒250コマンドまで。最後はホットキー一つ',
    ),
    seed: say(
      'cacheNodes 1 : 3 : 6 : 12 with 1,000 : 1,900 : 3,700 : 7,200 req/s',
      'cacheNodes 1 : 3 : 6 : 12で1,000 : 1,900 : 3,700 : 7,200 req/s',
    ),
    limit: say('250 : 500 : 750; a hot key 250', '250 : 500 : 750。ホットキーは250'),
    measure: ({ full }) => scaling(full),
  },
  {
    id: 'failure',
    title: say('A node is killed under load and started again', '負荷の途中でノードが落ち、起動し直される'),
    seed: say('cluster-node-timeout 5000', 'cluster-node-timeout 5000'),
    limit: say(
      'open 2 s after the start, whatever the time-out',
      'タイムアウトの値によらず、起動の2秒後に開く',
    ),
    measure: ({ full }) => timeline(full),
  },
  {
    id: 'client',
    title: say(
      'Longest answer while a node is frozen, and dead: this client, and ioredis by its defaults',
      'ノードが固まった間、落ちた間の最長の応答：このクライアントと、ioredisの初期設定',
    ),
    seed: NONE,
    measure: async ({ besides }) => {
      const own = await longest()
      const restore = await besides('mutant:node-down--defaults')
      const defaults = await longest()
      await restore()
      const line = ({ frozen, dead }: typeof own): string => `${Math.round(frozen)} / ${Math.round(dead)} ms`
      return {
        text: say(`${line(own)}; defaults ${line(defaults)}`, `${line(own)}。初期設定では${line(defaults)}`),
        figures: { ...rounded(own, 'own'), ...rounded(defaults, 'defaults') },
      }
    },
  },
  {
    id: 'quorums',
    title: say(
      'PUT and GET with one node of five 50 ms away, P50 / P99, by (W, R)',
      '5台のうち1台が50 ms遠いときのPUTとGET（P50 / P99）、(W, R)ごと',
    ),
    seed: NONE,
    limit: say('two round trips to the W-th fastest node', 'W番目に速いノードまでの2往復'),
    measure: ({ full }) => quorums(full),
  },
  {
    id: 'cuts',
    title: say(
      'Random cuts of the network, writes on both sides',
      'ネットワークの無作為な分断と、両側での書き込み',
    ),
    seed: say('balance 1000 on one side, 2000 on the other', '一方では残高1000、もう一方では2000'),
    measure: async ({ full }) => {
      const rounds = full ? 500 : 200
      const { acknowledged, refused, unknown, bothSides } = await randomCuts(
        await openRegisters(),
        new Random(13),
        rounds,
      )
      return {
        text: say(
          `${rounds} cuts: ${acknowledged} writes acknowledged, none lost; ${refused} refused, none seen again; ${unknown} of unknown outcome; both sides of a cut acknowledged ${bothSides} times`,
          `${rounds}回の分断：承認${acknowledged}件（消失0件）、拒否${refused}件（復活0件）、結果不明${unknown}件。両側が承認した分断は${bothSides}回`,
        ),
        figures: { rounds, acknowledged, refused, unknown, bothSides },
      }
    },
  },
])
