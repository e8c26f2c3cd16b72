import { DatabaseError, Pool, types, type QueryResultRow } from 'pg'
import { DATABASE_URL } from './config.ts'
import type { Entry } from './l1.ts'

/** What is read of an item. */
interface Row {
  value: unknown
  version: number
}

// Versions are bigint in Postgres, which pg would hand over as text.
types.setTypeParser(types.builtins.INT8, Number)

export const pool = new Pool({
  connectionString: DATABASE_URL,
  connectionTimeoutMillis: 3000,
  query_timeout: 5000,
})
// A lost connection is reported to the query that waits for it. This event would end the process.
pool.on('error', () => {})

/** Postgres can't be reached, or serves nobody just now. */
export class DatabaseUnavailable extends Error {}

/** SQLSTATE classes that say nothing of the statement: no connection, no room, shutting down, a fault of its own. */
const UNAVAILABLE = /^(08|53|57|58)/

async function rowsOf<T extends QueryResultRow>(text: string, values: unknown[]): Promise<T[]> {
  try {
    return (await pool.query<T>(text, values)).rows
  } catch (error) {
    if (error instanceof DatabaseError && !UNAVAILABLE.test(error.code ?? '')) throw error
    throw new DatabaseUnavailable('Postgres did not answer', { cause: error })
  }
}

export async function findItem(key: string): Promise<Entry> {
  const [row] = await rowsOf<Row>('SELECT value, version FROM items WHERE key = $1', [key])
  return row ? { found: true, ...row } : { found: false, version: 0 }
}

/** Resolves when it is committed. The trigger has given it the next version. */
export async function saveItem(key: string, value: unknown): Promise<Entry> {
  const [row] = await rowsOf<Row>(
    `INSERT INTO items (key, value) VALUES ($1, $2)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING value, version`,
    [key, JSON.stringify(value)],
  )
  return { found: true, ...row! }
}

export async function deleteItem(key: string): Promise<void> {
  // TODO(write-path): which version does the deletion have?
  await rowsOf('DELETE FROM items WHERE key = $1', [key])
}
