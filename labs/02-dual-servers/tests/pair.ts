import {
  eventually,
  freePort,
  link,
  postgres,
  say,
  startRole,
  type Answer,
  type Database,
  type Link,
  type StartedRole,
} from '#harness'

export interface PairOptions {
  env?: Record<string, string | number>
  /** Partitions of the two servers. Default A–M and N–Z. */
  partitions?: [string, string]
  /** No check of the peer after the first: for tests that count requests between the servers. */
  quiet?: boolean
  /** Keep the links between the servers shut until both are up. */
  apart?: boolean
  /** Start only server-1; `server2.start()` is the test's. */
  only1?: boolean
}

/** The two servers with a database each, and a link on every path between the four. */
export interface Pair {
  server1: StartedRole
  server2: StartedRole
  db1: Database
  db2: Database
  /** From server-1 to server-2, and back. */
  to2: Link
  to1: Link
  /** From each server to its own database. */
  toDb1: Link
  toDb2: Link
  /** Environment of server-1, for a second process of it. */
  env1: Record<string, string | number>
}

const TOKEN = 'shared-secret'

export async function startPair(options: PairOptions = {}): Promise<Pair> {
  const { env = {}, partitions = ['A-M', 'N-Z'], quiet = false, apart = quiet } = options
  const [db1, db2, port1, port2] = await Promise.all([
    postgres('pg-1').database(),
    postgres('pg-2').database(),
    freePort(),
    freePort(),
  ])
  const [to2, to1, toDb1, toDb2] = await Promise.all([
    link('server-1', { name: 'server-2', port: port2 }),
    link('server-2', { name: 'server-1', port: port1 }),
    link('server-1', db1.server),
    link('server-2', db2.server),
  ])
  const common = {
    PEER_TOKEN: TOKEN,
    PEER_TIMEOUT_MS: 200,
    PEER_CHECK_MS: quiet ? 60_000 : 50,
    SYNC_RETRY_MS: 30,
    DB_TIMEOUT_MS: 1000,
    ...env,
  }
  const env1 = {
    ...common,
    PARTITION: partitions[0],
    PEER_NAME: 'server-2',
    PEER_URL: to2.url,
    DATABASE_URL: db1.url('server-1', { via: toDb1 }),
  }
  const env2 = {
    ...common,
    PARTITION: partitions[1],
    PEER_NAME: 'server-1',
    PEER_URL: to1.url,
    DATABASE_URL: db2.url('server-2', { via: toDb2 }),
  }
  if (apart) await Promise.all([to1.refuse(), to2.refuse()])
  const [server1, server2] = await Promise.all([
    startRole('server', { name: 'server-1', port: port1, env: env1 }),
    startRole('server', { name: 'server-2', port: port2, env: env2, start: !options.only1 }),
  ])
  if (apart) await Promise.all([to1.open(), to2.open()])
  return { server1, server2, db1, db2, to2, to1, toDb1, toDb2, env1 }
}

/** Header that names the caller. */
export function as(userId: string, more: Record<string, string> = {}): { headers: Record<string, string> } {
  return { headers: { 'x-user-id': userId, ...more } }
}

/** Changes a setting at a server. */
export function set(server: StartedRole, setting: string, value: unknown, within = 5000): Promise<Answer> {
  return server.put('/api/global-settings', { setting, value }, { within })
}

/** A setting's value in a database; undefined where there is none. */
export async function valueIn(db: Database, setting: string): Promise<unknown> {
  const [row] = await db.sql('SELECT value FROM global_settings WHERE key = $1', [setting])
  return row?.value
}

/** Recorded changes in the order of recording. */
export async function changesIn(
  db: Database,
  origin?: string,
): Promise<{ key: string; value: unknown; origin: string }[]> {
  const rows = await db.sql(
    'SELECT key, value, origin FROM setting_changes WHERE $1::text IS NULL OR origin = $1 ORDER BY id',
    [origin ?? null],
  )
  return rows as { key: string; value: unknown; origin: string }[]
}

/** Changes of this server that the peer has not confirmed, as it says itself. */
export async function pendingOf(server: StartedRole): Promise<number> {
  const { body } = await server.get('/api/metrics')
  return body?.totals?.pendingSyncs
}

/** Everything is delivered: asked before any "never" or "the same". */
export async function drained({ server1, server2 }: Pair, within = 5000): Promise<void> {
  const label = say('pendingSyncs 0 on both servers', '両サーバーのpendingSyncsが0')
  await eventually(label, async () => [await pendingOf(server1), await pendingOf(server2)], [0, 0], {
    within,
    hint: 2,
  })
}

/** Requests over a link that are neither about health nor about settings. */
export function reads(link: Link): number {
  return link.requests.filter(({ path }) => !path.startsWith('/health') && !path.startsWith('/api/sync/'))
    .length
}
