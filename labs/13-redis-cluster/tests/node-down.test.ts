import { beforeAll, expect, eventually, say, test, throughout, when } from '#harness'
import { oneOnEach, impatientShop, path, seen, SEEN, warm, type Product, type Shop } from './shop.ts'

let shop: Shop
let products: [Product, Product, Product]

beforeAll(async () => {
  shop = await impatientShop()
  products = await oneOnEach(shop)
})

// #region cut
test(say('a node that cannot be reached', '届かないノード'), async () => {
  const [first, second, third] = products
  when('the link to cache-3 is cut', 'cache-3へのリンクを切る')
  expect(shop.cluster.links[2]!.cut(), say('connections cut', '切れた接続の数')).toBeGreaterThan(0)
  for (let i = 0; i < 2; i++) {
    const answer = await shop.a.get(path(third.id), { within: 600 })
    // Whatever the cache did: was the request answered?
    const hint = answer.status === 200 ? 1 : 2
    expect(seen(answer), SEEN, { hint }).toBe('200 bypass')
    expect(answer).toAnswer(200, third)
    for (const product of [first, second]) {
      expect(await shop.a.get(path(product.id), { within: 600 }), undefined, { hint }).toAnswer(200, product)
      await warm(shop.a, product.id)
    }
  }
  await shop.cluster.links[2]!.open()
  when('the link is whole again', 'リンクを元に戻す')
  await warm(shop.a, third.id, { within: 2000 })
})
// #endregion cut

// #region frozen
test(
  say('a node that freezes, and takes the cluster along', '固まったノードが、クラスターを道連れにする'),
  async () => {
    await shop.cluster.set('cluster-node-timeout', 200)
    when(
      'cache-3 is frozen (SIGSTOP) while all three products are read',
      '三つの商品を読んでいる間にcache-3を固まらせる（SIGSTOP）',
    )
    let rounds = 0
    const look = async (): Promise<string[]> => {
      const answers = await Promise.all(products.map(({ id }) => shop.a.get(path(id), { within: 1500 })))
      rounds++
      return answers.map(({ status, broken }) => broken?.en ?? String(status))
    }
    const all200 = (statuses: string[]): boolean => statuses.every((status) => status === '200')
    await throughout(
      say('three answers 200', '三つとも200'),
      look,
      all200,
      async () => {
        await shop.cluster.nodes[2]!.freeze()
        await eventually(
          say('cache-1 says cluster_state:fail', 'cache-1がcluster_state:failと答える'),
          () => shop.cluster.state(0),
          'fail',
        )
        const then = rounds
        await eventually(
          say('ten more rounds of reads', 'さらに10回の読み取り'),
          () => rounds >= then + 10,
          true,
          {
            within: 10_000,
          },
        )
      },
      { hint: 2 },
    )
    await shop.cluster.nodes[2]!.thaw()
    when('it goes on (SIGCONT)', 'ノードが動き出す（SIGCONT）')
    for (const { id } of products) await warm(shop.a, id, { within: 3000 })
  },
)
// #endregion frozen
