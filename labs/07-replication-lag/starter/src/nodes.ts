import { Pool } from 'pg'
import { DATABASE_URL, REPLICA_URLS } from './config.ts'

/** A server that says nothing is as bad as one that is gone. */
const ANSWER_MS = 1000

function poolOf(url: string): Pool {
  const pool = new Pool({ connectionString: url, max: 10, connectionTimeoutMillis: ANSWER_MS })
  // An idle connection was lost; the pool has dropped it. Without a listener the event ends the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

export const primary = poolOf(DATABASE_URL)

export const replicas = REPLICA_URLS.map((url, i) => ({ name: `replica-${i + 1}`, pool: poolOf(url) }))
