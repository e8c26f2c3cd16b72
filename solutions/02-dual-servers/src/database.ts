import { setTimeout } from 'node:timers/promises'
import { DatabaseError, Pool, types, type PoolClient } from 'pg'
import { DATABASE_URL, DB_TIMEOUT_MS } from './config.ts'

// Counters and clocks are bigint in Postgres, which pg would hand over as text.
types.setTypeParser(types.builtins.INT8, Number)

export const pool = new Pool({ connectionString: DATABASE_URL, connectionTimeoutMillis: DB_TIMEOUT_MS })

// A lost connection is reported twice: to the query that waits for it, and as this event, which would end
// the process if nobody listened. The query's own error is the one that is handled.
pool.on('error', () => {})
pool.on('connect', (client) => client.on('error', () => {}))

/** Runs `work` in a transaction: all of it is durable together, or none of it ever happened. */
export async function transaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    const result = await work(client)
    await client.query('commit')
    client.release()
    return result
  } catch (error) {
    // Closing the connection rolls back, in whatever state it is.
    client.release(true)
    throw error
  }
}

// #region database-answers
/**
 * A statement that is given up after DB_TIMEOUT_MS: on a connection that has gone silent it would keep its caller for
 * minutes, and the delivery to the peer with it. For reads, and for writes that may be made again.
 */
export function inTime(text: string, values: unknown[] = []) {
  return { text, values, query_timeout: DB_TIMEOUT_MS }
}

/** Does this server's database answer within DB_TIMEOUT_MS, the wait for a connection included? */
export function databaseAnswers(): Promise<boolean> {
  const answer = pool.query(inTime('select 1')).then(
    () => true,
    () => false,
  )
  return Promise.race([answer, setTimeout(DB_TIMEOUT_MS, false)])
}
// #endregion database-answers

/** Was the database out of reach? Otherwise Postgres has answered, and what it said is our mistake. */
export function isOutOfReach(error: Error & { code?: string }): boolean {
  // SQLSTATE classes: connection exception, insufficient resources, operator intervention.
  if (error instanceof DatabaseError) return /^(08|53|57)/.test(error.code ?? '')
  // Errors of the socket have a code, such as ECONNREFUSED; those that pg makes itself have only a text.
  return /^E(?!RR_)/.test(error.code ?? '') || /connect|timeout/i.test(error.message)
}

/** Did Postgres refuse the data itself? `jsonb`, for one, can't hold the character NUL. */
export function isBadData(error: Error): boolean {
  return error instanceof DatabaseError && error.code?.startsWith('22') === true
}
