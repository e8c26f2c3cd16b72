import {
  ahead,
  beforeAll,
  burst,
  closedPort,
  eventually,
  expect,
  say,
  startRole,
  test,
  when,
  type StartedRole,
} from '#harness'
import {
  addProducts,
  newIds,
  path,
  patientShop,
  seen,
  SEEN,
  warm,
  type Shop,
} from '../../labs/13-redis-cluster/tests/shop.ts'

let shop: Shop
/** What they cache of a stock lives 300 ms. */
let forgetful: Promise<StartedRole[]>

beforeAll(async () => {
  shop = await patientShop()
  forgetful = ahead(() =>
    Promise.all(['server-d', 'server-e'].map((name) => start(name, { STOCK_TTL_MS: 300 }))),
  )
})

const start = (name: string, more: Record<string, string | number>): Promise<StartedRole> =>
  startRole('server', { name, env: { ...shop.env, DATABASE_URL: shop.db.url(name), ...more } })

test(say('one address of three answers', '三つのアドレスのうち一つだけが答える'), async () => {
  const { links } = shop.cluster
  const [dead, gone] = [await closedPort(), await closedPort()]
  when(
    'a server starts with REDIS_CLUSTER_NODES of which two refuse',
    'REDIS_CLUSTER_NODESのうち二つが接続を拒む状態でサーバーを起動する',
  )
  const server = await start('server-c', {
    REDIS_CLUSTER_NODES: `127.0.0.1:${dead},${links[1]!.host}:${links[1]!.port},127.0.0.1:${gone}`,
  })
  const products = await addProducts(shop, newIds(12))
  await warm(server, products[0]!.id, { hint: 3 })
  for (const { id } of products) await server.get(path(id))
  when('12 products are read again', '12件の商品をもう一度読む')
  for (const { id } of products) expect(seen(await server.get(path(id))), SEEN, { hint: 3 }).toBe('200 hit')
})

test(say('ids of every kind', 'あらゆるID'), async ({ random }) => {
  const ids = ['a/b', 'two words', '日本語', 'a%b', "o'brien", 'a?b=c&d', 'x+y', '100%', 'é', 'emoji 🧺']
  const own = ids.map((id) => `${id} ${random.word(5)}`)
  for (const product of await addProducts(shop, own)) {
    when(`GET ${path(product.id)} three times`, `GET ${path(product.id)}を3回送る`)
    for (let i = 0; i < 3; i++) expect(await shop.a.get(path(product.id))).toAnswer(200, product)
    expect(await shop.b.get(path(product.id))).toAnswer(200, product)
  }
})

test(say('what did not exist may come to be', 'なかった商品が後からできる'), async () => {
  const [id] = newIds(1)
  when('a product is read before it exists, and then inserted', 'まだない商品を読み、そのあとで追加する')
  for (let i = 0; i < 2; i++) expect(await shop.a.get(path(id!))).toAnswer(404, { error: 'not_found' })
  await addProducts(shop, [id!])
  await eventually(
    say('server-a answers 200', 'server-aが200を返す'),
    async () => (await shop.a.get(path(id!))).status,
    200,
    { within: 1000 },
  )
})

test(say('a change that no server made', 'サーバーを通らない変更'), async () => {
  const servers = await forgetful
  const [product] = await addProducts(shop, newIds(1))
  const { id } = product!
  for (const server of servers) await server.get(path(id))
  when('the stock is set by SQL, STOCK_TTL_MS=300', 'STOCK_TTL_MS=300のとき、SQLで在庫を変える')
  await shop.db.sql('UPDATE products SET stock = 7777 WHERE id = $1', [id])
  for (const server of servers) {
    await eventually(
      say(`${server.name} answers the new stock`, `${server.name}が新しい在庫を答える`),
      async () => (await server.get(path(id))).body?.stock,
      7777,
      { within: 1000 },
    )
  }
})

test(say('200 requests at once', '同時に200件'), async () => {
  const products = await addProducts(shop, newIds(20))
  when('200 GETs of 20 products are sent at once', '20件の商品に、200件のGETを同時に送る')
  const answers = await burst(200, (i) => [shop.a, shop.b][i % 2]!.get(path(products[i % 20]!.id))).done
  for (const [i, answer] of answers.entries()) expect(answer).toAnswer(200, products[i % 20])
})
