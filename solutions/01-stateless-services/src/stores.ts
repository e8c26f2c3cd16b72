import { Redis, ReplyError } from 'ioredis'
import { DatabaseError, Pool, type QueryResultRow } from 'pg'
import { DATABASE_URL, DB_POOL_MAX, DB_WAIT_MS, PROCESSES, REDIS_URL, WORKER_INDEX } from './config.ts'
import { share } from './share.ts'

/** A request needed a store that can't be used now. Nobody knows less for it: it may be asked again. */
export class StoreUnavailable extends Error {
  readonly store: 'database' | 'redis'

  constructor(store: 'database' | 'redis', cause: Error) {
    super(`${store} unavailable: ${cause.message}`, { cause })
    this.store = store
  }
}

// #region stores
const pool = new Pool({
  connectionString: DATABASE_URL,
  max: share(DB_POOL_MAX, PROCESSES, WORKER_INDEX),
  connectionTimeoutMillis: DB_WAIT_MS,
})
// An idle connection was lost; the pool has dropped it and opens another when it needs one.
pool.on('error', () => {})

export const redis = new Redis(REDIS_URL, {
  commandTimeout: 500,
  maxRetriesPerRequest: 1,
  retryStrategy: (attempt) => Math.min(attempt * 50, 500),
  // A command that broke off may have been done: sent again by itself, one view would be counted twice.
  autoResendUnfulfilledCommands: false,
})
redis.on('error', () => {})

/** Rows of one statement. The pool lends a connection for it and takes it back, whatever happens. */
export async function query<Row extends QueryResultRow>(text: string, values: unknown[]): Promise<Row[]> {
  try {
    return (await pool.query<Row>(text, values)).rows
  } catch (error) {
    throw isOutOfReach(error as Error) ? new StoreUnavailable('database', error as Error) : error
  }
}

/** Waits for Redis's answer. No answer is not "no such key": it must never be taken for one. */
export async function ask<T>(command: Promise<T>): Promise<T> {
  try {
    return await command
  } catch (error) {
    throw error instanceof ReplyError ? error : new StoreUnavailable('redis', error as Error)
  }
}
// #endregion stores

/** Did Postgres refuse us, or not answer at all? Otherwise it has answered, and the mistake is ours. */
function isOutOfReach(error: Error & { code?: string }): boolean {
  // SQLSTATE classes: connection exception, insufficient resources, operator intervention.
  if (error instanceof DatabaseError) return /^(08|53|57)/.test(error.code ?? '')
  return /^E(?!RR_)/.test(error.code ?? '') || /connect|timeout/i.test(error.message)
}

export async function closeStores(): Promise<void> {
  redis.disconnect()
  await pool.end()
}
