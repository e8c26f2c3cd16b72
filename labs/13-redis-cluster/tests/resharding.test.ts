import { beforeAll, eventually, expect, say, test, when } from '#harness'
import {
  addProducts,
  answersPrice,
  batchPath,
  keysOf,
  newIds,
  patientShop,
  patch,
  path,
  warm,
  type Shop,
} from './shop.ts'

let shop: Shop

beforeAll(async () => {
  shop = await patientShop()
})

// #region moving
test(say('the slot moves while it is read', '読んでいる間にスロットが移る'), async () => {
  const [product, other] = await addProducts(shop, newIds(2))
  const { id } = product!
  when('two products are read until they come from the cache', '二つの商品を、キャッシュから返るまで読む')
  await warm(shop.a, id)
  await warm(shop.a, other!.id)
  const { node: from, keys } = await keysOf(shop, id)
  const slot = await shop.cluster.slotOf(keys[0]!)
  const to = (from + 1) % 3
  const [old, target] = [shop.cluster.nodes[from]!.name, shop.cluster.nodes[to]!.name]

  const asked = await shop.cluster.counted(to, 'cmdstat_asking')
  const migration = await shop.cluster.migrate(slot, to)
  await migration.moveKeys()
  when(
    `slot ${slot} is being moved from ${old} to ${target}, and the product’s keys are there already`,
    `スロット${slot}を${old}から${target}へ移している。商品のキーはもう移った`,
  )
  expect(await shop.a.get(path(id))).toAnswer(200, product)
  expect(
    await shop.cluster.counted(to, 'cmdstat_asking'),
    say(`ASKING on ${target}`, `${target}が受けたASKING`),
  ).toBeGreaterThan(asked)
  expect(await patch(shop.a, id, { price: 4321 })).toAnswer(200, { price: 4321 })
  await eventually(
    say('server-a answers the new price', 'server-aが新しい価格を答える'),
    async () => (await shop.a.get(path(id))).body?.price,
    4321,
    { within: 1000 },
  )
  const changed = { ...product, price: 4321 }
  await eventually(
    say('the batch answers both products', '一括取得が両方の商品を答える'),
    async () => (await shop.a.get(batchPath([other!.id, id]))).body?.products,
    [other, changed],
    { within: 1000 },
  )

  await migration.finish()
  const moved = await shop.cluster.counted(from, 'errorstat_MOVED')
  when(
    `the slot belongs to ${target} now, and is read 20 times`,
    `スロットは${target}のものになった。20回読む`,
  )
  await answersPrice(shop.a, id, 4321)
  for (let i = 0; i < 20; i++) expect(await shop.a.get(path(id))).toAnswer(200, changed)
  const redirected = (await shop.cluster.counted(from, 'errorstat_MOVED')) - moved
  expect(redirected, say(`times ${old} answered MOVED`, `${old}がMOVEDを返した回数`)).toBeLessThanOrEqual(5)
})
// #endregion moving
