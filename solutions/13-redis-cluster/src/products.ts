import { Pool, types, type PoolClient } from 'pg'
import { store } from './cache.ts'
import { required } from './config.ts'

export interface Product {
  id: string
  name: string
  price: number
  stock: number
  version: number
}

export interface Change {
  price?: number
  stock?: number
}

// Versions and ids are bigint in Postgres, which pg would hand over as text.
types.setTypeParser(types.builtins.INT8, Number)

export const pool = new Pool({
  connectionString: required('DATABASE_URL'),
  connectionTimeoutMillis: 5000,
  query_timeout: 10_000,
})
// A lost connection is reported twice: to the query that waits for it, and as this event.
pool.on('error', () => {})
pool.on('connect', (client) => client.on('error', () => {}))

/** Rows by id, one statement for all. */
export async function readProducts(
  ids: readonly string[],
  by: Pool | PoolClient = pool,
): Promise<Map<string, Product>> {
  const { rows } = await by.query<Product>(
    'SELECT id, name, price, stock, version FROM products WHERE id = ANY($1)',
    [ids],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

// #region change
/** Changes the product and, in the same statement, writes down that the cache has to hear of it. */
export async function changeProduct(id: string, { price, stock }: Change): Promise<Product | undefined> {
  const { rows } = await pool.query<Product & { owed: number }>(
    `WITH changed AS (
       UPDATE products SET price = coalesce($2, price), stock = coalesce($3, stock)
       WHERE id = $1 RETURNING id, name, price, stock, version),
     owed AS (INSERT INTO cache_outbox (product_id) SELECT id FROM changed RETURNING id AS owed)
     SELECT * FROM changed, owed`,
    [id, price, stock],
  )
  const [row] = rows
  if (!row) return undefined
  const { owed, ...product } = row
  // Whether this works or not, the change is answered: whoever finds the row will do it.
  await store(product, performance.now())
    .then(() => pool.query('DELETE FROM cache_outbox WHERE id = $1', [owed]))
    .catch(() => {})
  return product
}
// #endregion change

// #region deliver
/** Tells the cache of changes that it has not heard of, whichever server made them. */
export async function deliver(): Promise<void> {
  // Rows that wait for a node that is away must not keep those behind them waiting: a pass goes on past them.
  let last: number | undefined = 0
  while (last !== undefined) last = await deliverAfter(last)
}

const MOST_ROWS = 500

/** @returns id of the last row that was looked at, if there may be more behind it */
async function deliverAfter(last: number): Promise<number | undefined> {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const { rows } = await client.query<{ id: number; product_id: string }>(
      'SELECT id, product_id FROM cache_outbox WHERE id > $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED',
      [last, MOST_ROWS],
    )
    if (rows.length > 0) await deliverRows(client, rows)
    await client.query('COMMIT')
    client.release()
    return rows.length < MOST_ROWS ? undefined : rows.at(-1)?.id
  } catch (error) {
    client.release(true)
    throw error
  }
}

async function deliverRows(client: PoolClient, rows: { id: number; product_id: string }[]): Promise<void> {
  const readAt = performance.now()
  const products = await readProducts([...new Set(rows.map((row) => row.product_id))], client)
  // Of a product that is gone there is nothing to tell.
  const done = new Set(rows.map((row) => row.product_id).filter((id) => !products.has(id)))
  await Promise.all(
    [...products.values()].map((product) =>
      store(product, readAt).then(
        () => done.add(product.id),
        () => {}, // the row stays, and is tried again
      ),
    ),
  )
  const paid = rows.filter(({ product_id }) => done.has(product_id)).map(({ id }) => id)
  await client.query('DELETE FROM cache_outbox WHERE id = ANY($1)', [paid])
}
// #endregion deliver
