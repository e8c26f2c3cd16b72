import type { PoolClient } from 'pg'
import { PEER_TIMEOUT_MS, SERVER_NAME } from './config.ts'
import { inTime, pool, transaction } from './database.ts'
import { callPeer } from './peer.ts'

/** One change of one setting, as it is recorded on both servers and travels between them. */
export interface Change {
  key: string
  value: unknown
  /** The server that the client changed it on. */
  origin: string
  /** 1, 2, 3 … in the order in which the origin committed its changes. */
  seq: number
  /** Lamport clock of the origin. Together with its name it decides who wins. */
  clock: number
}

/** Changes in one call to the peer: few enough to be applied within PEER_TIMEOUT_MS. */
const BATCH = 20

export async function readSettings(): Promise<Record<string, unknown>> {
  const { rows } = await pool.query(inTime('select key, value from global_settings'))
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]))
}

// #region write
/** A client's change: number, record and value become durable together. Then it is queued for the peer. */
export async function changeSetting(key: string, value: unknown): Promise<void> {
  const change = await transaction(async (client): Promise<Change> => {
    // This locks the row until commit, so numbers have the order of the commits. Those of a sequence have not.
    const { rows } = await client.query(
      'update sync_state set seq = seq + 1, clock = clock + 1 returning seq, clock',
    )
    const next = { key, value, origin: SERVER_NAME, ...rows[0] }
    await record(client, next)
    return next
  })
  queue.push(change)
}
// #endregion write

// #region lamport
async function record(client: PoolClient, { key, value, origin, seq, clock }: Change): Promise<void> {
  const json = JSON.stringify(value)
  await client.query(
    'insert into setting_changes (key, value, origin, seq, clock) values ($1, $2, $3, $4, $5)',
    [key, json, origin, seq, clock],
  )
  // The greater (clock, origin) wins, on both servers, in whatever order the changes arrive.
  await client.query(
    `insert into global_settings as current (key, value, origin, clock) values ($1, $2, $3, $4)
     on conflict (key) do update set value = excluded.value, origin = excluded.origin, clock = excluded.clock
     where (excluded.clock, excluded.origin) > (current.clock, current.origin)`,
    [key, json, origin, clock],
  )
}
// #endregion lamport

// #region deliver
const queue: Change[] = []
let delivering = false
let again = false

/** Sends what the peer has not confirmed, oldest first. Called after a change and by a timer; runs once at a time. */
export async function deliver(): Promise<void> {
  again = true
  if (delivering) return
  delivering = true
  try {
    while (again) {
      again = false
      while (queue.length > 0) {
        const owed = queue.slice(0, BATCH)
        const answer = await callPeer('/api/sync/global-settings', { body: owed })
        // fetch does not throw for a 500. Only a 2xx says that the peer's database has the changes.
        if (!answer.ok) throw new Error(`the peer said ${answer.status}`)
        queue.splice(0, owed.length)
      }
    }
  } finally {
    delivering = false
  }
}

/** How many of this server's changes the peer has not confirmed. */
export function pendingSyncs(): number {
  return queue.length
}
// #endregion deliver

// #region receive
/** Records the peer's changes, each of them once and in order, however often they are sent. */
export function receive(changes: Change[]): Promise<void> {
  return transaction(async (client) => {
    // Who waits for longer than the sender does keeps a connection busy for nobody.
    await client.query(`set local lock_timeout = ${PEER_TIMEOUT_MS}`)
    const { rows } = await client.query('select applied, clock from sync_state for update')
    let { applied, clock }: { applied: number; clock: number } = rows[0]
    for (const change of changes) {
      // Seen before: the answer got lost, or another process of the peer sends the same.
      if (change.seq <= applied) continue
      await record(client, change)
      applied = change.seq
      clock = Math.max(clock, change.clock)
    }
    await client.query('update sync_state set applied = $1, clock = $2', [applied, clock])
  })
}
// #endregion receive
