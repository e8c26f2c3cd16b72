import { beforeAll, expect, say, test, when } from '#harness'
import { addProducts, batchPath, keysOf, names, newIds, patientShop, path, warm, type Shop } from './shop.ts'

let shop: Shop

beforeAll(async () => {
  shop = await patientShop()
})

// #region one-command
test(
  say('a product in one slot, a hit in one command', '一つの商品は一つのスロット、ヒットは一コマンド'),
  async () => {
    const products = await addProducts(shop, newIds(5))
    when('products are read until they come from the cache', '商品を、キャッシュから返るまで読む')
    for (const { id } of products) {
      await warm(shop.a, id)
      const { keys } = await keysOf(shop, id)
      const slots = await Promise.all(keys.map((key) => shop.cluster.slotOf(key)))
      expect(new Set(slots).size, say(`slots of the keys of ${id}`, `${id}のキーがあるスロットの数`)).toBe(1)
    }
    const { id } = products[0]!
    const monitors = await Promise.all(shop.cluster.nodes.map((node) => node.monitor()))
    when(`GET ${path(id)}, from the cache, five times`, `GET ${path(id)}に、キャッシュから5回答える`)
    const counts: number[] = []
    for (let i = 0; i < 5; i++) {
      await Promise.all(monitors.map((monitor) => monitor.clear()))
      await warm(shop.a, id)
      const received = (await Promise.all(monitors.map((monitor) => monitor.commands()))).flat()
      const about = received.filter(
        ({ args, client }) => client !== 'lua' && args.some((arg) => names(arg, id)),
      )
      counts.push(about.length)
    }
    // Work in the background may name it as well, but not at every hit.
    expect(
      Math.min(...counts),
      say('fewest commands that name the product, for a hit', 'ヒット一回で商品の名前が入るコマンドの最少数'),
    ).toBe(1)
  },
)
// #endregion one-command

test(say('300 products are spread', '300件の商品は散らばる'), async () => {
  const products = await addProducts(shop, newIds(300))
  when('300 products are read', '300件の商品を読む')
  const queue = products.map(({ id }) => id)
  const reader = async (): Promise<void> => {
    for (let id = queue.pop(); id; id = queue.pop()) await shop.a.get(path(id))
  }
  await Promise.all(Array.from({ length: 8 }, reader))
  const held = await shop.cluster.keys()
  const counts = held.map((keys) => {
    const there = new Set(keys.map((key) => /item-\d+-\d+/.exec(key)?.[0]))
    return products.filter(({ id }) => there.has(id)).length
  })
  for (const [i, count] of counts.entries()) {
    const { name } = shop.cluster.nodes[i]!
    expect(count, say(`products with keys on ${name}`, `${name}にキーがある商品の数`), {
      hint: 2,
    }).toBeGreaterThanOrEqual(50)
  }
})

// #region batch
test(say('a batch over all nodes', '全ノードにまたがる一括取得'), async () => {
  const products = await addProducts(shop, newIds(28))
  const [known, unknown] = [products.map(({ id }) => id), newIds(2, 'nobody')]
  for (const id of known.slice(0, 8)) await warm(shop.a, id)
  const ids = [unknown[0]!, ...known.toReversed(), unknown[1]!]
  const from = await shop.db.server.marker()
  when(
    'one request for 30 products: 8 in the cache, 2 that do not exist',
    '30件を一度に読む。8件はキャッシュにあり、2件は存在しない',
  )
  const answer = await shop.a.get(batchPath(ids))
  expect(answer).toAnswer(200, { products: [null, ...products.toReversed(), null] })
  const statements = await shop.db.server.statements(
    { application: 'server-a', database: shop.db.name, text: /\bproducts\b/i },
    from,
  )
  // One for what was missing; a look at recent changes may fall into the same moment.
  expect(statements.length, say('statements on products', 'productsに対する文の数')).toBeLessThanOrEqual(3)
})
// #endregion batch
