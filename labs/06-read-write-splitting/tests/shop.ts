import {
  eventually,
  link,
  postgres,
  say,
  startRole,
  type Answer,
  type Database,
  type HeldLock,
  type Link,
  type StartedPostgres,
  type StartedRole,
} from '#harness'

export const NAMES = ['primary', 'replica-1', 'replica-2', 'analytics'] as const
export type Name = (typeof NAMES)[number]
export type Counts = Record<Name, number>
type Env = Record<string, string | number>

/**
 * Statements wait as long as the test likes, and a busy machine is no dead node; one that is back is soon tried again.
 * Tests of the limits themselves set their own.
 */
const PATIENT: Env = { READ_TIMEOUT_MS: 5000, WRITE_TIMEOUT_MS: 5000, TX_IDLE_MS: 5000, EJECT_MS: 100 }

/** A gateway, and a link on each of its four paths. */
export interface Gateway {
  role: StartedRole
  links: Record<Name, Link>
  query: (sql: string, params?: unknown[], more?: object) => Promise<Answer>
  /** Connections of this gateway to a node that are in its database. */
  backends: (node: Name, filter?: { waiting?: boolean }) => Promise<number>
}

/** The four nodes and a database of their own. */
export interface Shop {
  db: Database
  node: Record<Name, StartedPostgres>
  /** Starts a gateway; it ends with the test, or with the file where it is started in `beforeAll`. */
  gateway(env?: Env, name?: string): Promise<Gateway>
  /** What the nodes have executed up to now: counts by mark. */
  executions(alive?: readonly Name[]): Promise<(mark: string) => Counts>
  /** How often each node executed the statement that carries this mark. A dead node is left out: 0. */
  executed(mark: string, alive?: readonly Name[]): Promise<Counts>
}

/** @param given the database of an earlier shop; default: a new one */
export async function openShop(given?: Database): Promise<Shop> {
  const node = Object.fromEntries(NAMES.map((name) => [name, postgres(name)])) as Shop['node']
  const [db, since] = await Promise.all([
    given ?? node.primary.database(),
    Promise.all(NAMES.map((name) => node[name].marker())),
  ])

  async function gateway(env: Env = {}, name = 'gateway'): Promise<Gateway> {
    const opened = await Promise.all(NAMES.map((to) => link(name, node[to])))
    const links = Object.fromEntries(NAMES.map((to, i) => [to, opened[i]!])) as Gateway['links']
    const url = (to: Name): string => db.url(name, { via: links[to] })
    const role = await startRole('gateway', {
      name,
      env: {
        DATABASE_URL: url('primary'),
        REPLICA_URLS: [url('replica-1'), url('replica-2')].join(','),
        ANALYTICS_URL: url('analytics'),
        ...PATIENT,
        ...env,
      },
    })
    return {
      role,
      links,
      query: (sql, params, more) => role.post('/query', { sql, ...(params && { params }), ...more }),
      backends: async (to, { waiting } = {}) =>
        (await node[to].view(db).activity({ application: name, waiting })).length,
    }
  }

  async function executions(alive: readonly Name[] = NAMES): Promise<(mark: string) => Counts> {
    const logs = await Promise.all(
      NAMES.map(async (name, i) =>
        alive.includes(name) ? node[name].statements({ database: db.name }, since[i]!) : [],
      ),
    )
    const texts = logs.map((log) => log.map(({ text }) => text).filter((text) => !/^\s*explain/i.test(text)))
    return (m) =>
      Object.fromEntries(
        NAMES.map((name, i) => [name, texts[i]!.filter((text) => text.includes(m)).length]),
      ) as Counts
  }

  const executed: Shop['executed'] = async (m, alive) => (await executions(alive))(m)

  return { db, node, gateway, executions, executed }
}

let marks = 0

/** A comment that is in no other statement: by it the nodes' logs tell who executed what. */
export function mark(): string {
  return `/* m:${process.pid}.${++marks}.${Math.floor(performance.now())} */`
}

/** Rows of a table, by SQL at the primary. */
export const rowsOf = async (shop: Shop, where: string): Promise<number> =>
  Number((await shop.db.sql(`SELECT count(*)::int AS n FROM ${where}`))[0]!.n)

/**
 * Locks a table on the primary, and on every replica too: the lock is replayed there, and each read of the table waits
 * until it is released.
 */
export async function lockEverywhere({ db, node }: Shop, table: string): Promise<HeldLock> {
  const lock = await db.holdLock(table, 'ACCESS EXCLUSIVE')
  // The lock is in the log of the primary, and nothing makes it leave: one commit does.
  await db.sql("SELECT pg_logical_emit_message(true, 'flush', '')")
  await node.primary.caughtUp()
  return lock
}

/** Keeps what is committed from now on away from every replica, until the end of the test. */
export async function pauseReplicas({ node }: Shop): Promise<void> {
  await Promise.all(REPLICAS.map((name) => node[name].pauseReplay()))
}

export const REPLICAS = ['replica-1', 'replica-2', 'analytics'] as const

/** The replicas have what the primary has now. */
export async function resumeReplicas({ node }: Shop): Promise<void> {
  await Promise.all(REPLICAS.map((name) => node[name].resumeReplay()))
  await node.primary.caughtUp()
}

/** Lets a killed replica come back at once: it recovers from here, not from many databases ago. */
export async function shortRecovery({ node }: Shop): Promise<void> {
  await node.primary.sql('CHECKPOINT')
  await node.primary.caughtUp()
  await Promise.all(REPLICAS.map((name) => node[name].sql('CHECKPOINT')))
}

/** A replica that lives again and follows the primary. */
export async function backAgain({ node }: Shop, ...names: Name[]): Promise<void> {
  await Promise.all(names.map((name) => node[name].start()))
  await node.primary.caughtUp(names.map((name) => node[name]))
}

/** Waits until so many of the gateway's statements wait for a lock on a node. */
export async function waiting(gateway: Gateway, node: Name, count: number, hint?: 1 | 2 | 3): Promise<void> {
  await eventually(
    say(
      `${count} statements of ${gateway.role.name} waiting for the lock on ${node}`,
      `${node}でロックを待つ${gateway.role.name}の文が${count}個`,
    ),
    () => gateway.backends(node, { waiting: true }),
    count,
    { hint },
  )
}

/** Does all of it, so many at a time. */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  one: (item: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  const queue = [...items.entries()]
  const worker = async (): Promise<void> => {
    for (let next = queue.shift(); next; next = queue.shift()) results[next[0]] = await one(next[1])
  }
  await Promise.all(Array.from({ length: width }, worker))
  return results
}

/** Executions over all nodes. */
export const total = (counts: Counts): number => NAMES.reduce((sum, name) => sum + counts[name], 0)

/** Executions on the two replicas that serve ordinary reads. */
export const onReplicas = (counts: Counts): number => counts['replica-1'] + counts['replica-2']
