import { beforeAll, expect, say, test, when } from '#harness'
import { answersPrice, oneOnEach, impatientShop, patch, path, type Product, type Shop } from './shop.ts'

let shop: Shop
let product: Product

beforeAll(async () => {
  shop = await impatientShop()
  product = (await oneOnEach(shop))[2]
})

// #region memory
test(say('a node comes back with its memory', 'ノードが記憶を持って戻ってくる'), async () => {
  const { id, price } = product
  when(
    'the link to cache-3 is cut, and PATCH at server-a changes the price',
    'cache-3へのリンクを切り、server-aへのPATCHで価格を変える',
  )
  expect(shop.cluster.links[2]!.cut(), say('connections cut', '切れた接続の数')).toBeGreaterThan(0)
  expect(await patch(shop.a, id, { price: price + 1000 })).toAnswer(200, { price: price + 1000 })
  await shop.cluster.links[2]!.open()
  when(
    'the link is whole again; the node still holds the old price',
    'リンクを元に戻す。ノードは古い価格を覚えている',
  )
  for (const server of [shop.b, shop.a]) await answersPrice(server, id, price + 1000, 2)
  const later = []
  for (let i = 0; i < 20; i++)
    for (const server of [shop.a, shop.b]) later.push((await server.get(path(id))).body?.price)
  expect(new Set(later), say('prices in 40 further reads', 'その後40回読んだ価格')).toEqual(
    new Set([price + 1000]),
  )
})
// #endregion memory
