import {
  atEnd,
  eventually,
  expect,
  lsn,
  postgres,
  replicas as replicasOf,
  say,
  startRole,
  type Answer,
  type Database,
  type StartedPostgres,
  type StartedRole,
} from '#harness'

type Env = Record<string, string | number>

export type Counts = Record<'primary' | 'replica-1' | 'replica-2', number>

/** A primary and two replicas, a database of this test's own, and servers that use it. */
export interface Shop {
  db: Database
  primary: StartedPostgres
  replica1: StartedPostgres
  replica2: StartedPostgres
  /** Starts an order service; it ends with the test, or with the file where it is started in `beforeAll`. */
  server(name: string, env?: Env): Promise<StartedRole>
  /** A row written by SQL, past every server. */
  row(id: string, status?: string): Promise<void>
  /** Both replicas stand still; they go on when the test ends. */
  pause(...only: StartedPostgres[]): Promise<void>
  /** Replay goes on, and both replicas have all that is written. */
  resume(): Promise<void>
  /** All that is written is on disk, and these replicas have it. */
  caughtUp(...only: StartedPostgres[]): Promise<void>
  /** Nobody makes a database any more: replaying that takes a replica longer than any write of a test. */
  calm(): Promise<void>
  /** A killed replica comes back at once: it recovers from here, not from many databases ago. */
  shortRecovery(): Promise<void>
  /** From here on reads are counted. */
  counting(): Promise<() => Promise<(server: StartedRole) => Counts>>
}

/** A sample is 20 ms old at the most. */
const QUICK: Env = { SAMPLE_MS: 20 }

export async function openShop(): Promise<Shop> {
  const primary = postgres('primary')
  const [replica1, replica2] = replicasOf('primary') as [StartedPostgres, StartedPostgres]
  const both = [replica1, replica2]
  const db = await primary.database()

  const server: Shop['server'] = (name, env = {}) =>
    startRole('server', {
      name,
      env: {
        DATABASE_URL: db.url(name),
        REPLICA_URLS: both.map((node) => db.url(name, { via: node })).join(','),
        ...QUICK,
        ...env,
      },
    })

  const caughtUp: Shop['caughtUp'] = async (...only) => {
    // One more record after what is meant: a position may lie a page header beyond the last one.
    await db.sql("SELECT pg_logical_emit_message(true, 'test', '')")
    await primary.caughtUp(only.length > 0 ? only : both)
  }

  return {
    db,
    primary,
    replica1,
    replica2,
    server,
    caughtUp,
    row: async (id, status = 'new') => {
      await db.sql('INSERT INTO orders VALUES ($1, 1, $2)', [id, status])
    },
    pause: async (...only) => {
      await Promise.all((only.length > 0 ? only : both).map((node) => node.pauseReplay()))
    },
    resume: async () => {
      await Promise.all(both.map((node) => node.resumeReplay()))
      await caughtUp()
    },
    calm: async () => {
      const making = (): Promise<unknown[]> =>
        primary.sql(
          "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query ILIKE 'create database%'",
        )
      await eventually(
        say('no database in the making', '作成中のデータベースがない'),
        making,
        (rows) => rows.length === 0,
      )
      await caughtUp()
    },
    shortRecovery: async () => {
      await primary.sql('CHECKPOINT')
      await primary.caughtUp()
      await Promise.all(both.map((node) => node.sql('CHECKPOINT')))
    },
    counting: () => counting([primary, replica1, replica2]),
  }
}

/** A read of an order, however it is written. */
const READ = /\b(from|join)\s+("?public"?\s*\.\s*)?"?orders\b/i

async function counting(nodes: readonly StartedPostgres[]) {
  const since = await Promise.all(nodes.map((node) => node.marker()))
  return async () => {
    const logs = await Promise.all(nodes.map((node, i) => node.statements({ text: READ }, since[i]!)))
    return ({ name }: StartedRole): Counts =>
      Object.fromEntries(
        nodes.map((node, i) => [
          node.name,
          logs[i]!.filter(({ application }) => application === name).length,
        ]),
      ) as Counts
  }
}

let orders = 0

/** An id that no other test uses. */
export const newId = (): string => `o-${++orders}`

export interface ReadOptions {
  token?: string
  maxLagMs?: number | string
}

export function read(
  server: StartedRole,
  id: string,
  { token, maxLagMs }: ReadOptions = {},
): Promise<Answer> {
  return server.get(`/orders/${id}`, {
    headers: {
      ...(token !== undefined && { 'x-consistency-token': token }),
      ...(maxLagMs !== undefined && { 'x-max-lag-ms': String(maxLagMs) }),
    },
  })
}

/** The answer's token; there must be one. */
export function tokenOf(answer: Answer, hint?: 1 | 2 | 3): string {
  const token = answer.headers['x-consistency-token']
  expect(
    typeof token === 'string' && token.length > 0,
    say('X-Consistency-Token in the answer', '応答のX-Consistency-Token'),
    {
      hint,
    },
  ).toBe(true)
  return token as string
}

/** Writes an order through a server; the token of the answer. */
export async function order(server: StartedRole, id: string, more: object = {}): Promise<string> {
  const answer = await server.post('/orders', { id, userId: 1, status: 'paid', ...more })
  expect(answer).toAnswer(201, { id, userId: 1, status: 'paid' })
  return tokenOf(answer)
}

export interface Lag {
  name: string
  up: boolean
  receiveLagBytes: number | null
  replayLagBytes: number | null
  lagSeconds: number | null
  alert: boolean
}

export interface Report {
  samples: number
  primary: { lsn: string }
  replicas: Lag[]
}

/** What `GET /replication` says. */
export async function report(server: StartedRole): Promise<Report> {
  const answer = await server.get('/replication')
  expect(answer).toAnswer(200)
  return answer.body as Report
}

export async function lagOf(server: StartedRole, replica: StartedPostgres): Promise<Partial<Lag>> {
  const { replicas } = await report(server)
  return (Array.isArray(replicas) ? replicas : []).find(({ name }) => name === replica.name) ?? {}
}

/** Bytes that a replica has not replayed, by SQL. */
export async function behind({ primary }: Shop, replica: StartedPostgres): Promise<number> {
  const [[at], [replayed]] = await Promise.all([
    primary.sql('SELECT pg_current_wal_lsn() AS lsn'),
    replica.sql('SELECT pg_last_wal_replay_lsn() AS lsn'),
  ])
  return Number(lsn(at?.lsn) - lsn(replayed?.lsn))
}

/** Lets the WAL pass 4 GiB, where the first half of a position changes. */
export async function pass4GiB({ db }: Shop): Promise<void> {
  await eventually(
    say('the WAL beyond 4 GiB', 'WALが4GiBを超える'),
    async () => {
      const [row] = await db.sql('SELECT pg_current_wal_lsn() AS lsn')
      const past = lsn(row?.lsn) >= 1n << 32n
      if (!past) await nextSegment(db)
      return past
    },
    true,
    { within: 15_000 },
  )
}

/** Ends the segment of the WAL; an empty one would not end. */
export async function nextSegment(db: Database): Promise<void> {
  await db.sql("SELECT pg_logical_emit_message(true, 'test', '')")
  await db.sql('SELECT pg_switch_wal()')
}

/** A setting of the primary, taken back when the test ends. */
export async function setOnPrimary({ primary }: Shop, name: string, value: string): Promise<void> {
  atEnd(async () => {
    await primary.sql(`ALTER SYSTEM RESET ${name}`)
    await primary.sql('SELECT pg_reload_conf()')
  })
  await primary.sql(`ALTER SYSTEM SET ${name} = '${value.replaceAll("'", "''")}'`)
  await primary.sql('SELECT pg_reload_conf()')
}
