import { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { NODES, type NodeConfig } from './config.ts'

/** What the last check saw of a node. */
export interface Seen {
  up: boolean
  /** In a row. */
  failures: number
  role: 'primary' | 'replica' | 'unknown'
  /** Written on a primary, received on a replica; the last one that was seen. */
  lsn: string | null
  timeline: number | null
  /** On a primary: who streams from it. */
  followers: string[]
  /** On a replica: whom it follows. */
  conninfo: string | null
}

export interface Node extends NodeConfig {
  seen: Seen
  connection: Connection | undefined
  /** Resolves when the last check that was asked for is done. */
  checked: Promise<void>
}

interface Connection {
  client: Client
  socket: Socket
  ready: Promise<unknown>
}

export const nodes: Node[] = NODES.map((config) => ({
  ...config,
  seen: unseen(),
  connection: undefined,
  checked: Promise.resolve(),
}))

export function nodeOf(name: string): Node {
  const found = nodes.find((node) => node.name === name)
  if (!found) throw new Error(`no node ${name} in NODES`)
  return found
}

export const others = (name: string): Node[] => nodes.filter((node) => node.name !== name)

function unseen(): Seen {
  const nothing = { up: false, failures: 0, role: 'unknown', lsn: null, timeline: null } as const
  return { ...nothing, followers: [], conninfo: null }
}

function open(url: string): Connection {
  const socket = new Socket()
  const client = new Client({ connectionString: url, stream: () => socket })
  client.on('error', () => {}) // the query that is under way reports it
  return { client, socket, ready: client.connect() }
}

// #region probe
const POSITION = `SELECT standby,
  (CASE WHEN standby THEN greatest(pg_last_wal_receive_lsn(), pg_last_wal_replay_lsn())
        ELSE pg_current_wal_lsn() END)::text AS lsn,
  CASE WHEN standby THEN (SELECT received_tli FROM pg_stat_wal_receiver)
       ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::int END AS timeline,
  ARRAY(SELECT application_name FROM pg_stat_replication WHERE state = 'streaming') AS followers,
  current_setting('primary_conninfo') AS conninfo
  FROM pg_is_in_recovery() AS standby`

/** One check after the other: two at once, on one connection, would count one silence twice. */
export const probe = (node: Node): Promise<void> => (node.checked = node.checked.then(() => check(node)))

/** No answer in time is a failed check, like a refusal: a frozen server refuses nothing. */
async function check(node: Node): Promise<void> {
  const connection = (node.connection ??= open(node.url))
  try {
    await connection.ready
    const { rows } = await connection.client.query(POSITION)
    const { standby, lsn, timeline, followers, conninfo } = rows[0]
    const role = standby ? 'replica' : 'primary'
    node.seen = { up: true, failures: 0, role, lsn, timeline, followers, conninfo }
  } catch {
    connection.socket.destroy()
    if (node.connection === connection) node.connection = undefined
    const { failures, lsn, timeline } = node.seen
    node.seen = { ...unseen(), failures: failures + 1, lsn, timeline }
  }
}
// #endregion probe

/** A command takes longer than a check may, and must not stand in its way: a connection of its own. */
const COMMAND_MS = 3000

async function command<T>(node: Node, run: (client: Client) => Promise<T>): Promise<T> {
  const { client, socket, ready } = open(node.url)
  const late = setTimeout(() => socket.destroy(), COMMAND_MS)
  try {
    await ready
    return await run(client)
  } finally {
    await client.end().catch(() => {}) // broken already
    clearTimeout(late)
  }
}

// #region promote
const POLL_MS = 5

/** Resolves when the node takes writes. */
export function promote(node: Node): Promise<void> {
  const inRecovery = async (client: Client): Promise<boolean> =>
    (await client.query('SELECT pg_is_in_recovery() AS standby')).rows[0].standby
  return command(node, async (client) => {
    try {
      // Paused replay would hold the promotion up for a second. Without waiting: we look more often than Postgres does.
      await client.query('SELECT pg_wal_replay_resume(), pg_promote(false)')
    } catch (error) {
      // Promoted, or being promoted, already: another leader came as far as this.
      if ((error as { code?: string }).code !== '55000') throw error
    }
    while (await inRecovery(client)) await sleep(POLL_MS)
  })
}
// #endregion promote

// #region repoint
/** What must stand in a node's `primary_conninfo` for it to follow the primary under its own name. */
export function conninfoOf(node: Node, primary: Node): string {
  return `${node.upstream[primary.name]} application_name=${node.name}`
}

export const repoint = (node: Node, primary: Node): Promise<void> =>
  command(node, (client) => follow(client, conninfoOf(node, primary)))

async function follow(client: Client, conninfo: string): Promise<void> {
  await client.query(`ALTER SYSTEM SET primary_conninfo = ${client.escapeLiteral(conninfo)}`)
  await client.query('SELECT pg_reload_conf()')
}

/** It follows nobody until it is told whom: what it has received can no longer grow. */
export function detach(node: Node): Promise<void> {
  const receives = async (client: Client): Promise<boolean> =>
    (await client.query('SELECT FROM pg_stat_wal_receiver')).rowCount !== 0
  return command(node, async (client) => {
    await follow(client, '')
    while (await receives(client)) await sleep(POLL_MS)
  })
}
// #endregion repoint
