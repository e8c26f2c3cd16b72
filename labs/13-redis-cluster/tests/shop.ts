import {
  eventually,
  expect,
  link,
  postgres,
  redisCluster,
  say,
  shared,
  startRole,
  when,
  type Answer,
  type Database,
  type Link,
  type StartedCluster,
  type StartedRole,
} from '#harness'

type Env = Record<string, string | number>

export interface Product {
  id: string
  name: string
  price: number
  stock: number
}

/** Two servers, their database, and the cluster that they share. */
export interface Shop {
  db: Database
  cluster: StartedCluster
  a: StartedRole
  b: StartedRole
  /** From each server to Postgres. */
  toDbA: Link
  toDbB: Link
  env: Env
}

/** A cut or a frozen node must show within moments: the time limit of a command in the steps that break things. */
export const IMPATIENT: Env = { REDIS_TIMEOUT_MS: 100 }

/** Starts both servers on an empty cache. They end with the test, or with the file where it is called in `beforeAll`. */
export async function openShop(more: Env = {}): Promise<Shop> {
  const [db, cluster] = await Promise.all([postgres('pg').database(), redisCluster('cache')])
  const [toDbA, toDbB] = await Promise.all([
    link('server-a', db.server),
    link('server-b', db.server),
    cluster.flush(),
  ])
  const env: Env = {
    REDIS_CLUSTER_NODES: cluster.addresses,
    REDIS_TIMEOUT_MS: 2000,
    STOCK_TTL_MS: 3_600_000,
    ...more,
  }
  const start = (name: string, via: Link): Promise<StartedRole> =>
    startRole('server', { name, env: { ...env, DATABASE_URL: db.url(name, { via }) } })
  const [a, b] = await Promise.all([start('server-a', toDbA), start('server-b', toDbB)])
  return { db, cluster, a, b, toDbA, toDbB, env }
}

/** The same two servers for all files of a run that ask for them; and those of the steps that break things. */
export const patientShop = (): Promise<Shop> => shared('shop', () => openShop())
export const impatientShop = (): Promise<Shop> => shared('impatient shop', () => openShop(IMPATIENT))

let count = 0

/** Puts products into Postgres, by SQL. Ids are new in every file: the cache is not asked about old ones. */
export async function addProducts({ db }: Shop, ids: readonly string[]): Promise<Product[]> {
  const products = ids.map((id) => ({ id, name: `name of ${id}`, price: 100 + ++count, stock: 10 + count }))
  await db.sql(
    `INSERT INTO products (id, name, price, stock)
     SELECT * FROM json_to_recordset($1) AS p(id text, name text, price int, stock int)`,
    [JSON.stringify(products)],
  )
  return products
}

export const newIds = (amount: number, prefix = 'item'): string[] =>
  Array.from({ length: amount }, () => `${prefix}-${process.pid}-${++count}`)

export const path = (id: string): string => `/products/${encodeURIComponent(id)}`
export const batchPath = (ids: readonly string[]): string =>
  `/products?ids=${ids.map(encodeURIComponent).join(',')}`

export const patch = (server: StartedRole, id: string, body: object): Promise<Answer> =>
  server.request(path(id), { method: 'PATCH', body })

/** `200 hit`: what most tests look at. */
export const seen = ({ status, headers, broken }: Answer): string =>
  broken ? broken.en : `${status} ${String(headers['x-cache'] ?? 'without X-Cache')}`

export const SEEN = say('status and X-Cache', 'ステータスとX-Cache')

/** Reads it until the answer comes from the cache. */
export async function warm(
  server: StartedRole,
  id: string,
  { within = 2000, hint }: { within?: number; hint?: 1 | 2 | 3 } = {},
): Promise<void> {
  const label = say(
    `${server.name} answers GET ${path(id)} from the cache`,
    `${server.name}がGET ${path(id)}にキャッシュから答える`,
  )
  await eventually(label, async () => seen(await server.get(path(id))), '200 hit', {
    within,
    every: 20,
    hint,
  })
}

/** So soon after a node is back no answer is older than a PATCH that was answered before. */
const FRESH_WITHIN_MS = 2000

/**
 * The server comes to answer this price, from the cache: what comes past the cache is right in any case. How soon it is
 * cached again is the learner's affair; how long an older price may be answered is not.
 */
export async function answersPrice(
  server: StartedRole,
  id: string,
  price: number,
  hint?: 1 | 2 | 3,
): Promise<void> {
  const label = say(
    `${server.name} answers the price ${price}, from the cache`,
    `${server.name}が価格${price}をキャッシュから答える`,
  )
  const began = performance.now()
  const wanted = `200 hit ${price}`
  let tooOld = false
  const found = await eventually(
    label,
    async () => {
      const late = performance.now() - began > FRESH_WITHIN_MS
      const answer = await server.get(path(id))
      tooOld = late && answer.status === 200 && answer.body?.price !== price
      return `${seen(answer)} ${answer.body?.price}`
    },
    (answer) => tooOld || answer === wanted,
    { within: 5000, hint },
  )
  const still = say(`what ${server.name} answers, still 2 s later`, `2秒たっても${server.name}が返すもの`)
  expect(found, still, { hint }).toBe(wanted)
}

/** The first node says that slots have nobody who serves them: it has noticed that another one is gone. */
export const noticed = ({ cluster }: Shop, within?: number): Promise<boolean> =>
  eventually(
    say('cache-1 says that slots are down', 'cache-1がスロットの停止を知らせる'),
    async () =>
      /cluster_slots_fail:[1-9]/.test(String(await cluster.nodes[0]!.client.call('CLUSTER', 'INFO'))),
    true,
    { within },
  )

/** Redis keys that name this product, by node: index of the node, its keys. */
export async function keysOf({ cluster }: Shop, id: string): Promise<{ node: number; keys: string[] }> {
  const named = (await cluster.keys()).map((keys) => keys.filter((key) => names(key, id)))
  const node = named.findIndex((keys) => keys.length > 0)
  return { node, keys: named[node] ?? [] }
}

/** Does the key belong to this product? `item-1` is no part of `item-12`. */
export function names(key: string, id: string): boolean {
  const encoded = encodeURIComponent(id)
  const at = key.indexOf(encoded)
  return at >= 0 && !/\d/.test(key[at + encoded.length] ?? '')
}

/** A product on each of the three nodes, read by A and B from the cache. Where it lies is the learner's choice. */
export async function oneOnEach(shop: Shop): Promise<[Product, Product, Product]> {
  when(
    'products are read until there is one on each node that comes from the cache',
    '各ノードに一つずつ、キャッシュから返る商品ができるまで読む',
  )
  const found: (Product | undefined)[] = [undefined, undefined, undefined]
  for (let round = 0; round < 8 && found.includes(undefined); round++) {
    const products = await addProducts(shop, newIds(12))
    await warm(shop.a, products[0]!.id)
    await Promise.all(products.map(({ id }) => shop.a.get(path(id))))
    const held = await shop.cluster.keys()
    for (const [node, keys] of held.entries()) {
      found[node] ??= products.find(({ id }) => keys.some((key) => names(key, id)))
    }
  }
  const missing = found.findIndex((product) => !product)
  if (missing >= 0) {
    await eventually(
      say(
        `a product whose keys lie on ${shop.cluster.nodes[missing]!.name}`,
        `${shop.cluster.nodes[missing]!.name}にキーがある商品`,
      ),
      () => undefined,
      Boolean,
      { within: 0 },
    )
  }
  const products = found as [Product, Product, Product]
  for (const { id } of products) {
    await warm(shop.a, id)
    await warm(shop.b, id)
  }
  return products
}
