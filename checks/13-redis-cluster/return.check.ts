import { beforeAll, eventually, expect, say, startRole, test, when, type StartedRole } from '#harness'
import { outboxEmpty, stays } from './prices.ts'
import {
  addProducts,
  answersPrice,
  keysOf,
  newIds,
  oneOnEach,
  impatientShop,
  patch,
  path,
  warm,
  type Product,
  type Shop,
} from '../../labs/13-redis-cluster/tests/shop.ts'

let shop: Shop
let product: Product

beforeAll(async () => {
  shop = await impatientShop()
  product = (await oneOnEach(shop))[2]
})

const cut = (): void => {
  expect(shop.cluster.links[2]!.cut(), say('connections cut', '切れた接続の数')).toBeGreaterThan(0)
}

test(say('two changes, and twenty more', '二つの変更と、さらに二十の変更'), async () => {
  const { a, b } = shop
  const others = await addProducts(shop, newIds(20))
  await Promise.all(others.map(({ id }) => warm(a, id)))
  await warm(a, product.id)
  cut()
  when(
    'during the cut: PATCH at server-a, then at server-b, and 20 other products',
    '切断中に、server-a、server-bの順にPATCHし、ほかの20件も変える',
  )
  expect(await patch(a, product.id, { price: 5001 })).toAnswer(200)
  expect(await patch(b, product.id, { price: 5002 })).toAnswer(200)
  for (const [i, { id }] of others.entries())
    expect(await patch([a, b][i % 2]!, id, { price: 6000 + i })).toAnswer(200)
  await shop.cluster.links[2]!.open()
  when('the link is whole again', 'リンクを元に戻す')
  for (const server of [a, b]) {
    await answersPrice(server, product.id, 5002)
    await Promise.all(others.map(({ id }, i) => answersPrice(server, id, 6000 + i)))
  }
  await stays(shop, product.id, 5002)
  await outboxEmpty(shop)
})

test(say('a commit that failed changes nothing', '失敗したコミットは何も変えない'), async () => {
  await warm(shop.a, product.id)
  when('server-a is cut off from Postgres, and gets a PATCH', 'server-aをPostgresから切り離し、PATCHを送る')
  shop.toDbA.cut()
  expect(await patch(shop.a, product.id, { price: 1 })).toAnswer(503, { error: 'database_unavailable' })
  await shop.toDbA.open()
  const [row] = await shop.db.sql('SELECT price FROM products WHERE id = $1', [product.id])
  await answersPrice(shop.b, product.id, Number(row!.price))
  await answersPrice(shop.a, product.id, Number(row!.price))
})

test(say('the cluster has closed', 'クラスターが閉じている'), async () => {
  const { a, b, cluster } = shop
  await cluster.set('cluster-node-timeout', 200)
  for (const server of [a, b]) await warm(server, product.id)
  await cluster.nodes[0]!.freeze()
  await eventually(say('cluster_state:fail', 'cluster_state:fail'), () => cluster.state(2), 'fail')
  when(
    'cache-1 is frozen and the cluster closed: PATCH at server-a',
    'cache-1が固まってクラスターが閉じている。server-aにPATCHを送る',
  )
  expect(await patch(a, product.id, { price: 5100 })).toAnswer(200)
  await cluster.nodes[0]!.thaw()
  await cluster.ready()
  for (const server of [b, a]) await answersPrice(server, product.id, 5100)
  await stays(shop, product.id, 5100)
})

test(say('keys on both sides of a moving slot', '移動中のスロットの両側にあるキー'), async () => {
  const { a, b, cluster } = shop
  await warm(a, product.id)
  const { node, keys } = await keysOf(shop, product.id)
  const migration = await cluster.migrate(await cluster.slotOf(keys[0]!), (node + 1) % 3)
  await migration.moveKeys([keys.at(-1)!])
  when(
    'half of the product’s keys have moved: PATCH at server-b',
    '商品のキーの半分だけが移った状態で、server-bにPATCHを送る',
  )
  expect(await patch(b, product.id, { price: 5200, stock: 52 })).toAnswer(200)
  await migration.moveKeys()
  await migration.finish()
  for (const server of [a, b]) await answersPrice(server, product.id, 5200)
  await stays(shop, product.id, 5200)
})

// #region late-fill
test(say('a fill that comes late', '遅れて届く書き込み'), async () => {
  const { a, b, cluster, toDbB } = shop
  const [late] = await addProducts(shop, newIds(1))
  const { id, price } = late!
  for (const server of [a, b]) await warm(server, id)
  const { node, keys } = await keysOf(shop, id)
  for (const key of keys) await cluster.nodes[node]!.client.del(key)
  using held = toDbB.holdOn(id)
  when(
    'server-b has read the old price from Postgres, and its answer is held',
    'server-bはPostgresから古い価格を読んだが、その応答が途中で止まっている',
  )
  const reading = b.get(path(id))
  await eventually(
    say('server-b asked Postgres for the product', 'server-bがPostgresに商品を聞いた'),
    () => held.isHeld,
  )
  await eventually(
    say('bytes of the answer, held on the way', '途中で止まった応答のバイト数'),
    () => toDbB.held.reply,
    (bytes) => bytes > 0,
  )
  when(
    'PATCH at server-a; then server-b gets its answer',
    'server-aにPATCHを送り、そのあとserver-bに応答が届く',
  )
  expect(await patch(a, id, { price: price + 1 })).toAnswer(200)
  held.release()
  expect(await reading).toAnswer(200)
  for (const server of [a, b]) await answersPrice(server, id, price + 1)
  await stays(shop, id, price + 1)
})
// #endregion late-fill

// #region killed
test(say('whoever took the change is dead', '変更を受けた者はもういない'), async () => {
  const { a, b } = shop
  const another = async (): Promise<StartedRole> =>
    startRole('server', { name: 'server-c', env: { ...shop.env, DATABASE_URL: shop.db.url('server-c') } })
  for (const server of [a, b]) await warm(server, product.id)
  cut()
  when(
    'PATCH at server-a during the cut; then server-a is killed (SIGKILL), then the link is whole again',
    '切断中にserver-aへPATCHを送り、server-aを強制終了（SIGKILL）してからリンクを元に戻す',
  )
  expect(await patch(a, product.id, { price: 5301 })).toAnswer(200)
  await a.kill()
  await shop.cluster.links[2]!.open()
  await answersPrice(b, product.id, 5301)

  await warm(b, product.id)
  cut()
  when(
    'the same at server-b, and nobody is left; then another server starts',
    'server-bでも同じことが起き、誰も残っていない。そこへ別のサーバーが起動する',
  )
  expect(await patch(b, product.id, { price: 5302 })).toAnswer(200)
  await b.kill()
  await shop.cluster.links[2]!.open()
  const c = await another()
  await answersPrice(c, product.id, 5302)
  await outboxEmpty(shop)
})
// #endregion killed
