import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { DURABILITY_TIMEOUT_MS } from './config.ts'
import type { Lsn } from './lsn.ts'
import { isLost, primary, primaryWatch } from './nodes.ts'
import { positionOfPrimary } from './reads.ts'

export const LEVELS = ['off', 'local', 'remote_write', 'on', 'remote_apply']

export interface Written {
  rows: Record<string, unknown>[]
  /** False: committed on the primary, and no synchronous replica confirmed in time. */
  replicated: boolean
  /** A position that covers the commit. */
  at: Lsn
}

// #region write
/** Runs one statement in a transaction with its own `synchronous_commit`; without a level, the server's setting. */
export async function write(sql: string, params: unknown[], level?: string): Promise<Written> {
  const client = await primary.connect()
  let broken = false
  try {
    await client.query('BEGIN')
    // The third argument makes it SET LOCAL: it ends with the transaction, not with the connection.
    if (level) await client.query("SELECT set_config('synchronous_commit', $1, true)", [level])
    const { rows } = await client.query(sql, params)
    const replicated = await commit(client)
    // Only now: the position of the row is not yet that of its commit.
    return { rows, replicated, at: await positionOfPrimary(client) }
  } catch (error) {
    broken = isLost(error)
    if (!broken) await client.query('ROLLBACK').catch(() => (broken = true))
    throw error
  } finally {
    client.release(broken)
  }
}
// #endregion write

// #region commit
/** Postgres says so when the wait of a COMMIT was cancelled: the row is there, its copy may not be. */
const COMMITTED_LOCALLY = '01000'
const AGAIN_MS = 25

/** @returns false when the wait for synchronous replicas was given up */
async function commit(client: PoolClient): Promise<boolean> {
  let replicated = true
  let done = false
  const notice = ({ code }: { code?: string }): void => {
    if (code === COMMITTED_LOCALLY) replicated = false
  }
  client.on('notice', notice)
  const committing = client.query('COMMIT').finally(() => (done = true))
  const givingUp = new AbortController()
  const watching = giveUp(client, () => done, givingUp.signal)
  try {
    await committing
    return replicated
  } finally {
    givingUp.abort()
    // A cancel that is under way must not meet the connection's next statement.
    await watching
    client.off('notice', notice)
  }
}

/** `statement_timeout` does not end this wait; a cancel from another connection does. Only this wait is meant. */
async function giveUp(client: PoolClient, done: () => boolean, signal: AbortSignal): Promise<void> {
  const { processID } = client as unknown as { processID: number }
  let ms = DURABILITY_TIMEOUT_MS
  while (!done()) {
    await sleep(ms, undefined, { signal }).catch(() => {})
    ms = AGAIN_MS
    if (done()) return
    await primaryWatch
      .query(
        "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'SyncRep'",
        [processID],
      )
      .catch(() => {}) // the primary is gone: the COMMIT says so
  }
}
// #endregion commit
