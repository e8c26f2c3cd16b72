import type { PoolClient } from 'pg'
import { SERVER_NAME } from './config.ts'
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

/** Changes in one answer. */
const BATCH = 20

export async function readSettings(): Promise<Record<string, unknown>> {
  const { rows } = await pool.query(inTime('select key, value from global_settings'))
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]))
}

// #region write
/** A client's change: number, record and value become durable together. From then on it is owed to the peer. */
export function changeSetting(key: string, value: unknown): Promise<void> {
  return transaction(async (client) => {
    // This locks the row until commit, so numbers have the order of the commits. Those of a sequence have not.
    const { rows } = await client.query(
      'update sync_state set seq = seq + 1, clock = clock + 1 returning seq, clock',
    )
    await record(client, { key, value, origin: SERVER_NAME, ...rows[0] })
  })
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
let pulling = false

/** Fetches what this server lacks of the peer's changes, until there is no more. Runs once at a time. */
export async function pull(): Promise<void> {
  if (pulling) return
  pulling = true
  try {
    for (;;) {
      // Asking for what comes after a number confirms everything up to it.
      const answer = await callPeer(`/api/sync/global-settings?after=${await lastApplied()}`)
      if (!answer.ok) throw new Error(`the peer said ${answer.status}`)
      const changes: Change[] = JSON.parse(await answer.text())
      if (changes.length === 0) return
      await receive(changes)
    }
  } finally {
    pulling = false
  }
}

async function lastApplied(): Promise<number> {
  const { rows } = await pool.query(inTime('select applied from sync_state'))
  return rows[0].applied
}

/** The peer has all changes up to `after`; these come next. */
export async function changesAfter(after: number): Promise<Change[]> {
  await pool.query(inTime('update sync_state set confirmed = $1 where confirmed < $1', [after]))
  const { rows } = await pool.query<Change>(
    inTime(
      `select key, value, origin, seq, clock from setting_changes
     where origin = $1 and seq > $2 order by seq limit $3`,
      [SERVER_NAME, after, BATCH],
    ),
  )
  return rows
}

/** How many of this server's changes the peer has not confirmed. */
export async function pendingSyncs(): Promise<number> {
  const { rows } = await pool.query(inTime('select seq - confirmed as pending from sync_state'))
  return rows[0].pending
}
// #endregion deliver

// #region receive
/** Records the peer's changes, each of them once and in order, however often they are sent. */
function receive(changes: Change[]): Promise<void> {
  return transaction(async (client) => {
    const { rows } = await client.query('select applied, clock from sync_state for update')
    let { applied, clock }: { applied: number; clock: number } = rows[0]
    for (const change of changes) {
      // Seen before: the answer got lost, or another process of the peer sends the same.
      if (change.seq <= applied) continue
      if (change.seq > applied + 1) throw new Error(`change ${change.seq} came, ${applied + 1} was next`)
      await record(client, change)
      applied = change.seq
      clock = Math.max(clock, change.clock)
    }
    await client.query('update sync_state set applied = $1, clock = $2', [applied, clock])
  })
}
// #endregion receive
