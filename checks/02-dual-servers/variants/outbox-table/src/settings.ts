import { randomUUID } from 'node:crypto'
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
  /** Unique among all changes of both servers. */
  id: string
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
/** A client's change: record, value and the message to the peer become durable together. */
export function changeSetting(key: string, value: unknown): Promise<void> {
  return transaction(async (client) => {
    // One change at a time until commit, so the ids of the outbox have the order of the commits.
    await client.query('lock table outbox in share row exclusive mode')
    const { rows } = await client.query('update lamport set clock = clock + 1 returning clock')
    const change: Change = { id: randomUUID(), key, value, origin: SERVER_NAME, clock: rows[0].clock }
    await record(client, change)
    await client.query('insert into outbox (message) values ($1)', [JSON.stringify(change)])
  })
}
// #endregion write

// #region lamport
async function record(client: PoolClient, { key, value, origin, clock }: Change): Promise<void> {
  const json = JSON.stringify(value)
  await client.query('insert into setting_changes (key, value, origin) values ($1, $2, $3)', [
    key,
    json,
    origin,
  ])
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
      for (let owed = await oldest(); owed.length > 0; owed = await oldest()) {
        const body = owed.map(({ message }) => message)
        const answer = await callPeer('/api/sync/global-settings', { body })
        // fetch does not throw for a 500. Only a 2xx says that the peer's database has the changes.
        if (!answer.ok) throw new Error(`the peer said ${answer.status}`)
        await pool.query(inTime('delete from outbox where id = any($1)', [owed.map(({ id }) => id)]))
      }
    }
  } finally {
    delivering = false
  }
}

async function oldest(): Promise<{ id: number; message: Change }[]> {
  const { rows } = await pool.query(inTime('select id, message from outbox order by id limit $1', [BATCH]))
  return rows
}

/** How many of this server's changes the peer has not confirmed. */
export async function pendingSyncs(): Promise<number> {
  const { rows } = await pool.query(inTime('select count(*) as pending from outbox'))
  return rows[0].pending
}
// #endregion deliver

// #region receive
/** Records the peer's changes, each of them once and in order, however often they are sent. */
export function receive(changes: Change[]): Promise<void> {
  return transaction(async (client) => {
    await client.query(`set local lock_timeout = ${PEER_TIMEOUT_MS}`)
    // One delivery at a time: two that overlap would wait for each other's ids.
    await client.query('lock table applied_changes in share row exclusive mode')
    for (const change of changes) {
      const { rowCount } = await client.query(
        'insert into applied_changes (id) values ($1) on conflict do nothing',
        [change.id],
      )
      // Seen before: the answer got lost, or another process of the peer sends the same.
      if (rowCount === 0) continue
      await client.query('update lamport set clock = greatest(clock, $1)', [change.clock])
      await record(client, change)
    }
  })
}
// #endregion receive
