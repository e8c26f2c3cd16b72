import { beforeAll, eventually, expect, say, test, throughout, when } from '#harness'
import {
  addProducts,
  batchPath,
  keysOf,
  names,
  newIds,
  patientShop,
  patch,
  path,
  warm,
  type Shop,
} from '../../labs/13-redis-cluster/tests/shop.ts'

let shop: Shop
let crossings: () => Promise<number>

beforeAll(async () => {
  shop = await patientShop()
  const nodes = [0, 1, 2]
  const count = async (): Promise<number> =>
    (await Promise.all(nodes.map((i) => shop.cluster.counted(i, 'errorstat_CROSSSLOT')))).reduce(
      (a, b) => a + b,
    )
  const before = await count()
  crossings = async () => (await count()) - before
})

test(say('braces in the ids', 'IDの中の波括弧'), async ({ random }) => {
  const own = random.word(4)
  const ids = Array.from({ length: 56 }, (_, i) => `{x}${own}${i}`)
  const products = await addProducts(shop, [...ids, `a}{b${own}`, '{}', `{${own}`, `}${own}{`])
  when('60 products are read whose ids are like {x}1, a}{b, {}', '{x}1、a}{b、{}のようなIDの商品を60件読む')
  for (let i = 0; i < 2; i++) {
    const answers = await Promise.all(products.map(({ id }) => shop.a.get(path(id))))
    for (const [n, answer] of answers.entries()) expect(answer).toAnswer(200, products[n])
  }
  const slots = new Set<number>()
  const held = (await shop.cluster.keys()).flat()
  for (const { id } of products) {
    const key = held.find((one) => names(one, id))
    if (key) slots.add(await shop.cluster.slotOf(key))
  }
  expect(slots.size, say('slots that hold them', 'それらがあるスロットの数')).toBeGreaterThan(30)
})

// #region never-down
test(say('numbers never go down', '数は決して減らない'), async () => {
  const [product] = await addProducts(shop, newIds(1))
  const { id } = product!
  await shop.db.sql('UPDATE products SET price = 0, stock = 0 WHERE id = $1', [id])
  await warm(shop.b, id)
  when(
    'price and stock are set to 1, 2, … 100 at server-a while server-b is read in a loop',
    'server-aで価格と在庫を1、2、…100に変え、その間server-bを読み続ける',
  )
  let last = { price: 0, stock: 0 }
  const steady = ({ price, stock, before }: { price: number; stock: number; before: typeof last }): boolean =>
    price >= before.price && stock >= before.stock
  await throughout(
    say('price and stock not below what was read before', '価格と在庫が、前に読んだ値を下回らない'),
    async () => {
      const { price, stock } = (await shop.b.get(path(id))).body ?? {}
      const before = last
      last = { price, stock }
      return { price, stock, before }
    },
    steady,
    async () => {
      for (let i = 1; i <= 100; i++)
        expect(await patch(shop.a, id, { price: i, stock: i })).toAnswer(200, { price: i, stock: i })
    },
    { every: 0 },
  )
  for (const server of [shop.a, shop.b]) {
    await eventually(
      say(`${server.name} answers 100 and 100`, `${server.name}が100と100を答える`),
      async () => {
        const { price, stock } = (await server.get(path(id))).body ?? {}
        return [price, stock]
      },
      [100, 100],
      { within: 1000 },
    )
  }
})
// #endregion never-down

test(say('half of it is gone', '半分だけなくなる'), async () => {
  const [product] = await addProducts(shop, newIds(1))
  const { id } = product!
  await warm(shop.a, id)
  const { node, keys } = await keysOf(shop, id)
  for (const key of keys) {
    when(`the key ${key} is deleted in Redis`, `Redisでキー${key}を消す`)
    await shop.cluster.nodes[node]!.client.del(key)
    expect(await shop.a.get(path(id))).toAnswer(200, product)
    expect(await shop.b.get(path(id))).toAnswer(200, product)
    await warm(shop.a, id)
  }
})

test(say('batches of all sizes', '大小の一括取得'), async () => {
  const products = await addProducts(shop, [...newIds(96), 'a,b', 'c d', '日本', '{y}1'])
  const ids = products.map(({ id }) => id)
  when('a batch of 100', '100件の一括取得')
  for (let i = 0; i < 2; i++) expect(await shop.a.get(batchPath(ids))).toAnswer(200, { products })
  when('101 ids', '101件のID')
  expect(await shop.a.get(batchPath([...ids, 'one-more']))).toAnswer(400, { error: 'bad_request' })
  when('no id', 'IDなし')
  expect(await shop.a.get('/products?ids=')).toAnswer(200, { products: [] })
  when('the same id three times', '同じIDを3回')
  const [first, second] = products
  expect(await shop.b.get(batchPath([ids[0]!, ids[1]!, ids[0]!, ids[0]!]))).toAnswer(200, {
    products: [first, second, first, first],
  })
})

test(say('no command crosses slots', 'スロットをまたぐコマンドがない'), async () => {
  when('all of the above was done', 'ここまでの全部を行った')
  expect(await crossings(), say('CROSSSLOT answers of the nodes', 'ノードがCROSSSLOTを返した回数')).toBe(0)
})
