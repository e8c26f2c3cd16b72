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
}

/** Changes in one call to the peer: few enough to be applied within PEER_TIMEOUT_MS. */
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
    const { rows } = await client.query('update sync_state set seq = seq + 1 returning seq')
    await record(client, { key, value, origin: SERVER_NAME, ...rows[0] })
  })
}
// #endregion write

async function record(client: PoolClient, { key, value, origin, seq }: Change): Promise<void> {
  const json = JSON.stringify(value)
  await client.query('insert into setting_changes (key, value, origin, seq) values ($1, $2, $3, $4)', [
    key,
    json,
    origin,
    seq,
  ])
  await client.query(
    `insert into global_settings (key, value, updated_at) values ($1, $2, now())
     on conflict (key) do update set value = excluded.value, updated_at = now()`,
    [key, json],
  )
}

// #region deliver
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
      for (let owed = await unconfirmed(); owed.length > 0; owed = await unconfirmed()) {
        const answer = await callPeer('/api/sync/global-settings', { body: owed })
        // fetch does not throw for a 500. Only a 2xx says that the peer's database has the changes.
        if (!answer.ok) throw new Error(`the peer said ${answer.status}`)
        await confirm(owed.at(-1)!.seq)
      }
    }
  } finally {
    delivering = false
  }
}

async function unconfirmed(): Promise<Change[]> {
  const { rows } = await pool.query<Change>(
    inTime(
      `select key, value, origin, seq from setting_changes
     where origin = $1 and seq > (select confirmed from sync_state) order by seq limit $2`,
      [SERVER_NAME, BATCH],
    ),
  )
  return rows
}

async function confirm(seq: number): Promise<void> {
  await pool.query(inTime('update sync_state set confirmed = $1 where confirmed < $1', [seq]))
}

/** How many of this server's changes the peer has not confirmed. */
export async function pendingSyncs(): Promise<number> {
  const { rows } = await pool.query(inTime('select seq - confirmed as pending from sync_state'))
  return rows[0].pending
}
// #endregion deliver

// #region receive
/** Records the peer's changes, each of them once and in order, however often they are sent. */
export function receive(changes: Change[]): Promise<void> {
  return transaction(async (client) => {
    // Who waits for longer than the sender does keeps a connection busy for nobody.
    await client.query(`set local lock_timeout = ${PEER_TIMEOUT_MS}`)
    const { rows } = await client.query('select applied from sync_state for update')
    let { applied }: { applied: number } = rows[0]
    for (const change of changes) {
      // Seen before: the answer got lost, or another process of the peer sends the same.
      if (change.seq <= applied) continue
      if (change.seq > applied + 1) throw new Error(`change ${change.seq} came, ${applied + 1} was next`)
      await record(client, change)
      applied = change.seq
    }
    await client.query('update sync_state set applied = $1', [applied])
  })
}
// #endregion receive
