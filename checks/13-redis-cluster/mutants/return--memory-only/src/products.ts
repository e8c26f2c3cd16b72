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
/** Products that the cache has still to hear of. */
const owed = new Set<string>()

export async function changeProduct(id: string, { price, stock }: Change): Promise<Product | undefined> {
  const { rows } = await pool.query<Product>(
    `UPDATE products SET price = coalesce($2, price), stock = coalesce($3, stock)
     WHERE id = $1 RETURNING id, name, price, stock, version`,
    [id, price, stock],
  )
  const [product] = rows
  if (product) await store(product, performance.now()).catch(() => owed.add(id))
  return product
}
// #endregion change

// #region deliver
/** Tells the cache of changes that it has not heard of. */
export async function deliver(): Promise<void> {
  if (owed.size === 0) return
  const readAt = performance.now()
  for (const product of (await readProducts([...owed])).values()) {
    await store(product, readAt).then(
      () => owed.delete(product.id),
      () => {}, // tried again
    )
  }
}
// #endregion deliver
