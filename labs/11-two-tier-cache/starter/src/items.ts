import { Pool, types } from 'pg'
import { DATABASE_URL } from './config.ts'
import type { Entry } from './l1.ts'

// Versions are bigint in Postgres, which pg would hand over as text.
types.setTypeParser(types.builtins.INT8, Number)

export const pool = new Pool({
  connectionString: DATABASE_URL,
  connectionTimeoutMillis: 3000,
  query_timeout: 5000,
})
// A lost connection is reported to the query that waits for it. This event would end the process.
pool.on('error', () => {})

export async function findItem(key: string): Promise<Entry> {
  const { rows } = await pool.query('SELECT value, version FROM items WHERE key = $1', [key])
  return rows[0] ? { found: true, ...rows[0] } : { found: false, version: 0 }
}

/** Resolves when it is committed. The trigger has given it the next version. */
export async function saveItem(key: string, value: unknown): Promise<Entry> {
  const { rows } = await pool.query(
    `INSERT INTO items (key, value) VALUES ($1, $2)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING value, version`,
    [key, JSON.stringify(value)],
  )
  return { found: true, ...rows[0] }
}

export async function deleteItem(key: string): Promise<void> {
  // TODO(write-path): which version does the deletion have?
  await pool.query('DELETE FROM items WHERE key = $1', [key])
}
