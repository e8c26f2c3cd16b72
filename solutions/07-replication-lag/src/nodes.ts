import { DatabaseError, Pool } from 'pg'
import type { Candidate } from './choose.ts'
import { DATABASE_URL, REPLICA_URLS } from './config.ts'
import type { Lsn } from './lsn.ts'

/** A server that says nothing is as bad as one that is gone. */
const ANSWER_MS = 1000

/** @param max connections */
function poolOf(url: string, max: number, ms?: number): Pool {
  const pool = new Pool({
    connectionString: url,
    max,
    connectionTimeoutMillis: ANSWER_MS,
    ...(ms && { query_timeout: ms }),
  })
  // An idle connection was lost; the pool has dropped it. Without a listener the event ends the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

// #region nodes
/** A replica, with what the last sample saw of it. */
export interface Replica extends Candidate {
  name: string
  pool: Pool
  /** For samples: they must not wait behind the readers. */
  watch: Pool
  received: Lsn | null
  /** What it had replayed when it last answered; a replica that is away keeps this. */
  reached: Lsn
  alert: boolean
  /** Samples in a row that disagree with `alert`. */
  contrary: number
}

export const primary = poolOf(DATABASE_URL, 10)
/** For samples, and to end a wait on the primary: no reader and no write has to queue behind them. */
export const primaryWatch = poolOf(DATABASE_URL, 2, ANSWER_MS)

export const replicas = REPLICA_URLS.map((url, i): Replica => ({
  name: `replica-${i + 1}`,
  pool: poolOf(url, 10, ANSWER_MS),
  watch: poolOf(url, 1, ANSWER_MS),
  up: false,
  received: null,
  replayed: null,
  reached: 0n,
  lagSeconds: null,
  alert: false,
  contrary: 0,
}))
// #endregion nodes

/** The node did not answer, or said goodbye. Everything else is an answer. */
export function isLost(error: unknown): boolean {
  return !(error instanceof DatabaseError) || /^(08|57P0[123]$|53300$)/.test(error.code ?? '')
}

export async function endPools(): Promise<void> {
  const pools = [primary, primaryWatch, ...replicas.flatMap(({ pool, watch }) => [pool, watch])]
  await Promise.all(pools.map((pool) => pool.end()))
}
