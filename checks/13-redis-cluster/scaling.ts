import { setTimeout as pause } from 'node:timers/promises'
import { load, Random, say, type Capacity } from '#harness'
import type { Measured } from '#harness/bench'
import {
  addProducts,
  newIds,
  names,
  openShop,
  path,
  warm,
  type Shop,
} from '../../labs/13-redis-cluster/tests/shop.ts'

/** What one cache node carries: one command at a time, 4 ms each, 250 a second. Both cores together do more. */
const CAPACITY = { slots: 1, ms: 4 }
const CLIENTS = 60
/** Clients that go through the products in the same order: few, or they stand in one queue after another. */
const GROUP = 2

/** What each node did in a second while these products were read, all of them in the cache. */
async function commandsPerSecond(
  shop: Shop,
  nodes: readonly Capacity[],
  ids: readonly string[],
  seconds: number,
): Promise<number[]> {
  const groups = Array.from({ length: CLIENTS / GROUP }, (_, group) =>
    load({
      url: shop.a.url,
      connections: GROUP,
      duration: seconds + 1,
      requests: new Random(group).shuffle(ids).map((id) => ({ method: 'GET' as const, path: path(id) })),
    }),
  )
  // Counted while the queues are as long at the end as at the beginning: not in the first moments, nor in the last.
  await pause(500)
  const [from, before] = [performance.now(), nodes.map(({ taken }) => taken)]
  await pause(seconds * 1000)
  const elapsed = (performance.now() - from) / 1000
  const rates = nodes.map(({ taken }, i) => (taken - before[i]!) / elapsed)
  const results = await Promise.all(groups)
  const wrong = results.reduce((sum, { non2xx, errors }) => sum + non2xx + errors, 0)
  if (wrong > 0) throw new Error(`${wrong} reads failed`)
  return rates
}

/** What so many nodes would carry together, by the share of the fullest: slots in equal ranges, 1,000 random keys. */
async function computed(shop: Shop, nodes: number): Promise<number> {
  const keys = newIds(1000, 'key')
  const slots = await Promise.all(keys.map((key) => shop.cluster.slotOf(key)))
  const counts = Map.groupBy(slots, (slot) => Math.floor((slot * nodes) / 16_384))
  const fullest = Math.max(...[...counts.values()].map(({ length }) => length))
  return ((1000 / CAPACITY.ms) * keys.length) / fullest
}

/** Commands a second on one, two and three nodes, and on one key. */
export async function scaling(full: boolean): Promise<Measured> {
  const shop = await openShop({ REDIS_TIMEOUT_MS: 5000 })
  const products = await addProducts(shop, newIds(90))
  for (const { id } of products) await warm(shop.a, id)
  const held = await shop.cluster.keys()
  const byNode = held.map((keys) =>
    products.map(({ id }) => id).filter((id) => keys.some((k) => names(k, id))),
  )
  const capacities = shop.cluster.links.map((link) => link.capacity(CAPACITY)!)
  const fewest = Math.min(...byNode.map((ids) => ids.length))
  const rates: number[] = []
  let shares = ''
  for (const nodes of [1, 2, 3]) {
    // As many from each node.
    const ids = byNode.slice(0, nodes).flatMap((all) => all.slice(0, fewest))
    const each = await commandsPerSecond(shop, capacities, ids, full ? 10 : 2)
    rates.push(sum(each))
    shares = each.map((rate) => String(Math.round(rate))).join(' + ')
  }
  const hot = sum(await commandsPerSecond(shop, capacities, byNode[0]!.slice(0, 1), full ? 10 : 2))
  const [six, twelve] = full ? [await computed(shop, 6), await computed(shop, 12)] : []
  const more =
    six && twelve
      ? say(
          `; by the share of the fullest node, computed: ${Math.round(six)} on 6, ${Math.round(twelve)} on 12`,
          `。いちばん詰まったノードから計算すると、6台で${Math.round(six)}回、12台で${Math.round(twelve)}回`,
        )
      : say('', '')
  const text = rates.map((rate) => String(Math.round(rate))).join(' : ')
  return {
    text: say(
      `${text} commands/s on 1, 2, 3 nodes (three: ${shares}); one hot key: ${Math.round(hot)}${more.en}`,
      `1、2、3台で毎秒${text}コマンド（3台の内訳：${shares}）。一つのホットキーだけなら${Math.round(hot)}${more.ja}`,
    ),
    figures: {
      'perSecond-1': Math.round(rates[0]!),
      'perSecond-2': Math.round(rates[1]!),
      'perSecond-3': Math.round(rates[2]!),
      'perSecond-hot': Math.round(hot),
      ...(six && twelve && { 'computed-6': Math.round(six), 'computed-12': Math.round(twelve) }),
    },
    bars: [...rates, hot].map((value, i) => ({
      label: i < 3 ? say(`${i + 1} nodes`, `ノード${i + 1}台`) : say('one hot key', 'ホットキー一つ'),
      value,
    })),
    unit: 'req/s',
  }
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
