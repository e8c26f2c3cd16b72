import { Pool } from 'pg'
import { DATABASE_URL, TTL_MS } from './config.ts'
import type { Entry } from './entries.ts'

// TODO(degrade): how many statements may this server have in Postgres at once, and who waits how long for a place?
export const pool = new Pool({ connectionString: DATABASE_URL })
pool.on('error', (error) => console.error('postgres', error.message))

/** The row of a key, with what a cache must remember of it. */
export async function query(key: string): Promise<Entry | undefined> {
  const fetchedAt = Date.now()
  const { rows } = await pool.query<{ value: unknown; version: string }>(
    'SELECT value, version FROM data WHERE key = $1',
    [key],
  )
  if (!rows[0]) return undefined
  const { value, version } = rows[0]
  const now = Date.now()
  const life = TTL_MS * (0.9 + 0.2 * Math.random())
  return {
    value,
    version: Number(version),
    fetchedAt,
    deltaMs: now - fetchedAt,
    freshUntil: now + Math.round(life),
  }
}
