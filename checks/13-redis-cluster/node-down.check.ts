import {
  ahead,
  beforeAll,
  burst,
  eventually,
  expect,
  say,
  test,
  throughout,
  when,
  type Answer,
} from '#harness'
import {
  addProducts,
  batchPath,
  keysOf,
  newIds,
  noticed,
  oneOnEach,
  impatientShop,
  patch,
  path,
  seen,
  SEEN,
  warm,
  type Product,
  type Shop,
} from '../../labs/13-redis-cluster/tests/shop.ts'

let shop: Shop
let products: [Product, Product, Product]

beforeAll(async () => {
  shop = await impatientShop()
  products = await oneOnEach(shop)
})

const readAll = (): Promise<Answer[]> =>
  Promise.all(products.map(({ id }, i) => [shop.a, shop.b][i % 2]!.get(path(id), { within: 1500 })))
const statuses = async (): Promise<(number | string)[]> =>
  (await readAll()).map(({ status, broken }) => broken?.en ?? status)
const all200 = (seen: (number | string)[]): boolean => seen.every((status) => status === 200)
const ALL_200 = say('three answers 200', '三つとも200')

const NODE_TIMEOUT = 'cluster-node-timeout'
const COVERAGE = 'cluster-require-full-coverage'
/** The node timeout of the lab. */
let usual: string

/** `CONFIG SET` on the two nodes that live. */
const setLiving = (name: string, value: string): Promise<unknown> =>
  Promise.all(
    [0, 1].map(async (i) => {
      const { client } = shop.cluster.nodes[i]!
      await client.config('SET', name, value)
      // Nothing is moving. But a node looks at its settings again only when something was said about slots.
      await client.call('CLUSTER', 'SETSLOT', 0, 'STABLE')
    }),
  )

// A node that is started again opens two seconds later, whatever its settings: one death serves two tests.
test(say('one node is gone, the others go on', '一台が消えても、ほかは動き続ける'), async () => {
  const { cluster } = shop
  usual = ((await cluster.nodes[0]!.client.config('GET', NODE_TIMEOUT)) as string[])[1]!
  // The next test undoes all of it.
  await ahead(async () => {
    await cluster.set(NODE_TIMEOUT, 200)
    await cluster.set(COVERAGE, 'no')
  })
  when(
    'cluster-require-full-coverage no; cache-3 is killed (SIGKILL)',
    'cluster-require-full-coverageをnoにし、cache-3を強制終了する（SIGKILL）',
  )
  await throughout(ALL_200, statuses, all200, async () => {
    await ahead(() => cluster.nodes[2]!.kill())
    await noticed(shop)
  })
  for (const { id } of products.slice(0, 2)) await warm(shop.a, id, { hint: 3 })
})

test(say('a node dies and comes back empty', 'ノードが落ち、空で戻ってくる'), async () => {
  const { cluster } = shop
  when(
    'cluster-require-full-coverage yes: the dead cache-3 closes the cluster, and is started again, all under load',
    'cluster-require-full-coverageをyesに戻すと、落ちているcache-3のためにクラスターが閉じる。読み続ける間にcache-3を起動し直す',
  )
  await throughout(ALL_200, statuses, all200, async () => {
    await setLiving(COVERAGE, 'yes')
    await eventually(say('cluster_state:fail', 'cluster_state:fail'), () => cluster.state(0), 'fail')
    await cluster.nodes[2]!.start()
    await cluster.ready()
  })
  await setLiving(NODE_TIMEOUT, usual)
  for (const server of [shop.a, shop.b])
    for (const { id } of products) await warm(server, id, { within: 3000, hint: 3 })
})

test(say('a node that swallows everything', 'すべてを飲み込むノード'), async () => {
  const { id } = products[2]
  await warm(shop.a, id, { within: 3000 })
  const more: string[] = []
  while (more.length < 4) {
    const [product] = await addProducts(shop, newIds(1))
    await warm(shop.a, product!.id)
    if ((await keysOf(shop, product!.id)).node === 2) more.push(product!.id)
  }
  shop.cluster.links[2]!.blackHole()
  when(
    'the link to cache-3 is a black hole: 20 reads one after another',
    'cache-3へのリンクがブラックホールになる。20回続けて読む',
  )
  let total = 0
  for (let i = 0; i < 20; i++) {
    const answer = await shop.a.get(path(more[i % 4]!))
    expect(seen(answer), SEEN, { hint: 3 }).toBe('200 bypass')
    total += answer.ms
  }
  expect(total, say('milliseconds for the 20 reads', '20回にかかったミリ秒'), { hint: 3 }).toBeLessThan(1500)
  when('20 reads at once', '20件を同時に読む')
  for (const answer of await burst(20, (i) => shop.a.get(path(more[i % 4]!))).done) {
    expect(answer).toAnswer(200)
    expect(answer.ms, say('milliseconds', 'ミリ秒')).toBeLessThan(1200)
  }
  await shop.cluster.links[2]!.open()
  await warm(shop.a, id, { within: 3000 })
})

test(say('no node at all', '一台も見えない'), async () => {
  const { a, cluster } = shop
  when('the links to all three nodes are cut', '三台すべてへのリンクを切る')
  for (const link of cluster.links) link.cut()
  for (let i = 0; i < 3; i++)
    for (const answer of await readAll()) expect(seen(answer), SEEN).toBe('200 bypass')
  expect(await a.get('/health')).toAnswer(200, { status: 'ok' })
  const [, second] = products
  expect(await patch(a, second.id, { stock: 3 }), undefined, { hint: 2 }).toAnswer(200, { stock: 3 })
  expect(await a.get(path(second.id))).toAnswer(200, { stock: 3 })
  second.stock = 3
  await Promise.all(cluster.links.map((link) => link.open()))
  for (const { id } of products) await warm(a, id, { within: 3000 })
})

test(say('cut again and again', '何度も切れる'), async () => {
  const link = shop.cluster.links[2]!
  await warm(shop.a, products[2].id, { within: 3000 })
  const before = link.counts.open
  for (let i = 0; i < 5; i++) {
    when(
      `the link to cache-3 is cut, number ${i + 1}; a batch over all nodes`,
      `cache-3へのリンクを切る（${i + 1}回目）。全ノードにまたがる一括取得`,
    )
    link.cut()
    const batch = await shop.a.get(batchPath(products.map(({ id }) => id)))
    // Not the stock: what the cache says of a change that was made while it was away is the next step's affair.
    expect(batch).toAnswer(200, { products: products.map(({ id, name, price }) => ({ id, name, price })) })
    await link.open()
    await warm(shop.a, products[2].id, { within: 3000 })
  }
  expect(link.counts.open, say('connections to cache-3', 'cache-3への接続数')).toBeLessThanOrEqual(before + 4)
})
