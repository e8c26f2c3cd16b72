import { Pool, types } from 'pg'
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
  // TODO(return): if the cache can't be told of this now, who will remember that it has to be?
  const { rows } = await pool.query<Product>(
    `UPDATE products SET price = coalesce($2, price), stock = coalesce($3, stock)
     WHERE id = $1 RETURNING id, name, price, stock, version`,
    [id, price, stock],
  )
  // TODO(hash-tags): tell the cache. A fill that is under way elsewhere may come after you.
  return rows[0]
}
// #endregion change

// #region deliver
// TODO(return): tell the cache of changes that it has not heard of, whichever server made them.
// #endregion deliver
