import { Pool } from 'pg'
import { DATABASE_URL, DB_MAX_CONCURRENCY } from './config.ts'
import { freshUntil, type Entry } from './entries.ts'

/** More was asked for than can be done in time: better told at once. */
export class Overloaded extends Error {}

export class DatabaseUnavailable extends Error {}

const pool = new Pool({ connectionString: DATABASE_URL, max: DB_MAX_CONCURRENCY })
// An idle connection was lost; the pool opens another when it needs one.
pool.on('error', () => {})

// #region limit
/** The pool has a limit already: whoever comes too many waits in its queue. */
async function limited<T>(work: () => Promise<T>): Promise<T> {
  return work()
}
// #endregion limit

/** The row as it is now. `sent` is called as the statement leaves. */
export function query(key: string, sent: (at: number) => void): Promise<Entry> {
  return limited(async () => {
    const fetchedAt = Date.now()
    sent(fetchedAt)
    const [row] = await rows<{ value: unknown; version: string }>(
      'SELECT value, version FROM data WHERE key = $1',
      [key],
    )
    const times = { fetchedAt, deltaMs: Date.now() - fetchedAt, freshUntil: freshUntil(row !== undefined) }
    return row ? { ...times, row: { value: row.value, version: Number(row.version) } } : times
  })
}

/** Rows of one statement. @throws {DatabaseUnavailable} */
export async function rows<Row extends object>(text: string, values: unknown[]): Promise<Row[]> {
  try {
    return (await pool.query<Row>(text, values)).rows
  } catch (error) {
    throw new DatabaseUnavailable('postgres failed', { cause: error })
  }
}

export const databaseAnswers = (): Promise<boolean> =>
  rows('SELECT 1', []).then(
    () => true,
    () => false,
  )

export const closeDatabase = (): Promise<void> => pool.end()
