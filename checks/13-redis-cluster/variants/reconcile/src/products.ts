import { Pool, types } from 'pg'
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
export async function readProducts(ids: readonly string[]): Promise<Map<string, Product>> {
  const { rows } = await pool.query<Product>(
    'SELECT id, name, price, stock, version FROM products WHERE id = ANY($1)',
    [ids],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

// #region change
export async function changeProduct(id: string, { price, stock }: Change): Promise<Product | undefined> {
  const { rows } = await pool.query<Product>(
    `UPDATE products SET price = coalesce($2, price), stock = coalesce($3, stock)
     WHERE id = $1 RETURNING id, name, price, stock, version`,
    [id, price, stock],
  )
  const [product] = rows
  if (product) await store(product, performance.now()).catch(() => {})
  return product
}
// #endregion change

// #region deliver
/** Changes that are older than this have long been compared, by whoever runs. */
const RECENT = '1 hour'
let compared = new Date(0)

/**
 * Compares what has changed lately with what the cache holds; needs no outbox, and every server does it for all. What it
 * stores a second time does no harm: the cache keeps the newer version.
 */
export async function deliver(): Promise<void> {
  const readAt = performance.now()
  const { rows } = await pool.query<Product & { changed_at: Date }>(
    `SELECT id, name, price, stock, version, changed_at FROM products JOIN changed_products USING (id)
     WHERE changed_at > greatest($1::timestamptz - interval '10 seconds', now() - interval '${RECENT}')`,
    [compared],
  )
  const stored = await Promise.all(
    rows.map(({ changed_at: at, ...product }) =>
      store(product, readAt).then(
        () => at,
        () => undefined,
      ),
    ),
  )
  // Only when all were told is the past done with: a node that is away keeps it open.
  if (stored.every((at) => at)) compared = stored.reduce((last, at) => (at! > last! ? at : last), compared)!
}
// #endregion deliver
