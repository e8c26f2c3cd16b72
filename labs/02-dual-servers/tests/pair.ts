import {
  freePort,
  link,
  postgres,
  say,
  startRole,
  type Database,
  type Link,
  type StartedRole,
  type Text,
} from '#harness'

type Env = Record<string, string | number>

export interface PairOptions {
  /** Settings of both servers. */
  env?: Env
  /** Settings of one alone. */
  env1?: Env
  env2?: Env
  /** Partitions of the two servers. Default A–M and N–Z. */
  partitions?: [string, string]
  /** No check of the peer after the first: for tests that count requests between the servers. */
  quiet?: boolean
  /** Keep the links between the servers shut until both are up. Default: where the pair is quiet. */
  apart?: boolean
  /** They stay shut: {@link heal} is the test's. */
  shut?: boolean
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
  /** Environment of each, for a second process of it. */
  env1: Env
  env2: Env
}

const TOKEN = 'shared-secret'

/** Starts a pair. It ends with the test, or with the file where it is started in `beforeAll`. */
export async function startPair(options: PairOptions = {}): Promise<Pair> {
  const { quiet = false, shut = false, apart = quiet || shut } = options
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
  const [partition1, partition2] = options.partitions ?? ['A-M', 'N-Z']
  const common = {
    PEER_TOKEN: TOKEN,
    PEER_TIMEOUT_MS: 200,
    PEER_CHECK_MS: quiet ? 60_000 : 50,
    SYNC_RETRY_MS: 30,
    DB_TIMEOUT_MS: 1000,
    ...options.env,
  }
  const env1: Env = {
    ...common,
    PARTITION: partition1,
    PEER_NAME: 'server-2',
    PEER_URL: to2.url,
    DATABASE_URL: db1.url('server-1', { via: toDb1 }),
    ...options.env1,
  }
  const env2: Env = {
    ...common,
    PARTITION: partition2,
    PEER_NAME: 'server-1',
    PEER_URL: to1.url,
    DATABASE_URL: db2.url('server-2', { via: toDb2 }),
    ...options.env2,
  }
  if (apart) for (const link of [to1, to2]) link.refuse()
  const [server1, server2] = await Promise.all([
    startRole('server', { name: 'server-1', port: port1, env: env1 }),
    startRole('server', { name: 'server-2', port: port2, env: env2 }),
    // The test's own connections: opened while nobody waits for them.
    db1.sql('SELECT 1'),
    db2.sql('SELECT 1'),
  ])
  const pair: Pair = { server1, server2, db1, db2, to2, to1, toDb1, toDb2, env1, env2 }
  if (apart && !shut) await heal(pair)
  return pair
}

/** Ends every fault of both links between the servers. */
export async function heal({ to1, to2 }: Pick<Pair, 'to1' | 'to2'>): Promise<void> {
  await Promise.all([to1.open(), to2.open()])
}

/** Header that names the caller. */
export function as(userId: string, more: Record<string, string> = {}): { headers: Record<string, string> } {
  return { headers: { 'x-user-id': userId, ...more } }
}

/** Requests over a link that are neither about health nor about settings. */
export function reads(over: Link): number {
  return over.requests.filter(({ path }) => !path.startsWith('/health') && !path.startsWith('/api/sync/'))
    .length
}

/** Rows of a user in pg-1 and in pg-2. */
export function rowsOf({ db1, db2 }: Pair, userId: string): Promise<number[]> {
  return Promise.all(
    [db1, db2].map(
      async (db) => (await db.sql('SELECT user_id FROM users WHERE user_id = $1', [userId])).length,
    ),
  )
}

/** What {@link rowsOf} shows, as a learner reads it. */
export function rowsLabel(userId: string): Text {
  return say(`rows of ${userId} in pg-1 and pg-2`, `pg-1とpg-2にある${userId}の行数`)
}
