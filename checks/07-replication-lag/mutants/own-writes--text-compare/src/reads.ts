import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolClient } from 'pg'
import { choose, type Wanted } from './choose.ts'
import { WAIT_MS } from './config.ts'
import { formatLsn, later, parseLsn, type Lsn } from './lsn.ts'
import { isLost, primary, replicas, type Replica } from './nodes.ts'

export interface Order {
  id: string
  userId: number
  status: string
}

export interface Seen {
  order: Order | undefined
  /** A position that covers what was shown. */
  at: Lsn
  node: string
}

/** How often a read that waits for its position asks again. */
const POLL_MS = 5
const SELECT = 'SELECT id, user_id AS "userId", status FROM orders WHERE id = $1'
let turn = 0

// #region read
/** Reads from a replica that has what is needed, waiting a little for one; else from the primary. */
export async function readOrder(id: string, wanted: Wanted): Promise<Seen> {
  const until = performance.now() + (wanted.need > 0n ? WAIT_MS : 0)
  for (;;) {
    const candidates = choose(replicas, wanted, turn++)
    for (const replica of candidates) {
      const seen = await readReplica(replica, id, wanted.need)
      if (seen) return seen
    }
    if (candidates.length === 0 || performance.now() >= until) return readPrimary(id)
    await sleep(POLL_MS)
  }
}

/** Undefined when this replica is behind what is needed, or does not answer. */
async function readReplica({ name, pool }: Replica, id: string, need: Lsn): Promise<Seen | undefined> {
  const client = await pool.connect().catch(() => undefined)
  if (!client) return undefined
  let broken = false
  const replayed = async (): Promise<Lsn> => {
    const { rows } = await client.query('SELECT pg_last_wal_replay_lsn()::text AS lsn')
    return parseLsn(rows[0].lsn)!
  }
  try {
    // The same connection all the time: a replica that was restarted in between would have broken it.
    if (need > 0n && formatLsn(await replayed()) < formatLsn(need)) return undefined
    const { rows } = await client.query<Order>(SELECT, [id])
    // After the rows: by now it has replayed what they showed, if not more.
    return { order: rows[0], at: later(await replayed(), need), node: name }
  } catch (error) {
    broken = isLost(error)
    return undefined
  } finally {
    client.release(broken)
  }
}

async function readPrimary(id: string): Promise<Seen> {
  const client = await primary.connect()
  let broken = false
  try {
    const { rows } = await client.query<Order>(SELECT, [id])
    return { order: rows[0], at: await positionOfPrimary(client), node: 'primary' }
  } catch (error) {
    broken = isLost(error)
    throw error
  } finally {
    client.release(broken)
  }
}
// #endregion read

// #region position
/**
 * Everything that the primary has shown or committed lies before it, also what is not yet written to disk. Asked on the
 * connection that read or committed: another one might have to be waited for, with the order already taken.
 */
export async function positionOfPrimary(client: PoolClient): Promise<Lsn> {
  const { rows } = await client.query('SELECT pg_current_wal_insert_lsn()::text AS lsn')
  return parseLsn(rows[0].lsn)!
}
// #endregion position
