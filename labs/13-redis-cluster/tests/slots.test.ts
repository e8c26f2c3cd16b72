import { beforeAll, eventually, expect, say, test, when } from '#harness'
import { addProducts, names, newIds, patientShop, patch, path, seen, SEEN, type Shop } from './shop.ts'

let shop: Shop

beforeAll(async () => {
  shop = await patientShop()
})

// #region sixty
test(say('60 products on three nodes', '60件の商品を三台に置く'), async () => {
  const products = await addProducts(shop, newIds(60))
  when('60 products are read for the first time', '60件の商品を初めて読む')
  for (const { id, ...rest } of products) {
    const answer = await shop.a.get(path(id))
    expect(answer).toAnswer(200, { id, ...rest })
    expect(seen(answer), SEEN).toBe('200 miss')
  }
  when('they are read again', 'もう一度読む')
  const again = await Promise.all(products.map(({ id }) => shop.a.get(path(id))))
  for (const [i, answer] of again.entries()) {
    expect(seen(answer), SEEN).toBe('200 hit')
    expect(answer).toAnswer(200, products[i])
  }
  const lock = await shop.db.holdLock('products', 'ACCESS EXCLUSIVE')
  when('the table is locked in Postgres, and ten of them are read', 'Postgresで表をロックし、10件を読む')
  for (const { id } of products.slice(0, 10)) expect(seen(await shop.a.get(path(id))), SEEN).toBe('200 hit')
  await lock.release()

  when('the keys on each node are looked at', '各ノードのキーを調べる')
  const held = await shop.cluster.keys()
  for (const [node, keys] of held.entries()) {
    const { name } = shop.cluster.nodes[node]!
    const here = products.filter(({ id }) => keys.some((key) => names(key, id))).length
    expect(here, say(`products with keys on ${name}`, `${name}にキーがある商品の数`), {
      hint: 2,
    }).toBeGreaterThanOrEqual(3)
  }
})
// #endregion sixty

test(say('a change is seen by both servers', '変更は両方のサーバーから見える'), async () => {
  const [product] = await addProducts(shop, newIds(1))
  const { id } = product!
  for (const server of [shop.a, shop.b, shop.a, shop.b]) await server.get(path(id))
  when('PATCH at server-a sets the price to 777', 'server-aへのPATCHで価格を777にする')
  expect(await patch(shop.a, id, { price: 777 })).toAnswer(200, { ...product, price: 777 })
  for (const server of [shop.a, shop.b]) {
    await eventually(
      say(`${server.name} answers the new price`, `${server.name}が新しい価格を答える`),
      async () => (await server.get(path(id))).body?.price,
      777,
      { within: 1000 },
    )
  }
})
