import { beforeAll, eventually, expect, say, test, when } from '#harness'
import {
  addProducts,
  batchPath,
  keysOf,
  newIds,
  patientShop,
  patch,
  path,
  warm,
  type Shop,
} from '../../labs/13-redis-cluster/tests/shop.ts'

let shop: Shop

beforeAll(async () => {
  shop = await patientShop()
})

test(
  say('a product on both sides of a slot that moves', '移動中のスロットの両側にまたがる商品'),
  async () => {
    const [product] = await addProducts(shop, newIds(1))
    const { id } = product!
    await warm(shop.a, id)
    const { node, keys } = await keysOf(shop, id)
    const slot = await shop.cluster.slotOf(keys[0]!)
    const migration = await shop.cluster.migrate(slot, (node + 1) % 3)
    await migration.moveKeys([keys[0]!])
    when(
      'one key of the product has moved, the rest has not: commands over both are told TRYAGAIN',
      '商品のキーのうち一つだけが移った。両方にまたがるコマンドにはTRYAGAINが返る',
    )
    for (const server of [shop.a, shop.b]) {
      for (const at of [path(id), batchPath([id])]) {
        const answer = await server.get(at)
        expect(answer, undefined, { hint: 3 }).toAnswer(
          200,
          at === path(id) ? product : { products: [product] },
        )
        expect(answer.ms, say('milliseconds', 'ミリ秒'), { hint: 3 }).toBeLessThan(2500)
      }
    }
  },
)

// #region while-moving
test(say('ten slots move under eight clients', '8人が使う間に十のスロットが移る'), async () => {
  const products = await addProducts(shop, newIds(10))
  // By slot: a design that puts several products into one is no reason to move it twice.
  const moves = new Map<number, number>()
  for (const { id } of products) {
    await warm(shop.a, id)
    const { node, keys } = await keysOf(shop, id)
    moves.set(await shop.cluster.slotOf(keys[0]!), (node + 1) % 3)
  }
  when('ten slots are moved while eight clients read and write', '8人が読み書きする間に、スロットを十個移す')
  let over = false
  const prices = products.map(({ price }) => price)
  const client = async (i: number): Promise<string[]> => {
    const wrong: string[] = []
    const { id, price } = products[i]!
    const server = [shop.a, shop.b][i % 2]!
    for (let turn = 1; !over; turn++) {
      const written = await patch(server, id, { price: price + turn })
      if (written.status !== 200) wrong.push(`PATCH ${written.status} ${written.text}`)
      prices[i] = price + turn
      const { status, text, body } = await server.get(path(id))
      if (status !== 200 || body.price < price || body.price > prices[i]!) wrong.push(`GET ${status} ${text}`)
    }
    return wrong
  }
  const clients = Promise.all(Array.from({ length: 8 }, (_, i) => client(i)))
  try {
    for (const [slot, to] of moves) {
      const migration = await shop.cluster.migrate(slot, to)
      await migration.moveKeys()
      await migration.finish()
    }
  } finally {
    over = true
  }
  expect((await clients).flat(), say('wrong answers', '誤った応答')).toEqual([])
  for (const server of [shop.a, shop.b]) {
    await eventually(
      say(`${server.name} answers the last prices`, `${server.name}が最後の価格を答える`),
      async () => {
        const answer = await server.get(batchPath(products.map(({ id }) => id)))
        return (answer.body?.products ?? []).map((product: { price: number } | null) => product?.price)
      },
      prices,
      { within: 2000 },
    )
  }
})
// #endregion while-moving
