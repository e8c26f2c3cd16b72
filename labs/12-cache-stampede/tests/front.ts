import {
  atEnd,
  burst,
  eventually,
  link,
  postgres,
  redis,
  say,
  startRole,
  type Answer,
  type Database,
  type HeldLock,
  type Link,
  type RequestOptions,
  type StartedRedis,
  type StartedRole,
  type Text,
} from '#harness'

type HoldOn = ReturnType<Link['holdOn']>
export type Env = Record<string, string | number>

/** No timer may end while a test holds something: a busy machine is no fault of the learner's. */
export const PATIENT: Env = {
  TTL_MS: 60_000,
  STALE_MS: 60_000,
  LOCK_TTL_MS: 10_000,
  LOCK_WAIT_MS: 10_000,
  REDIS_TIMEOUT_MS: 10_000,
  DB_QUEUE_MAX: 1000,
}

/** The front page's servers by number, with a path of its own from each to Postgres and to Redis. */
interface Servers {
  servers: StartedRole[]
  toPostgres: Link[]
  toRedis: Link[]
}

/** Servers `s0`, `s1`, … with one Postgres and one Redis. */
export interface Front extends Servers {
  db: Database
  redis: StartedRedis
  /** `GET /data/<key>` at server number `server`. */
  get(server: number, key: string, query?: string, options?: Options): Promise<Answer>
  /** New rows; their keys, which occur nowhere else. */
  rows(count: number, value?: unknown): Promise<string[]>
  row(value?: unknown): Promise<string>
  /** Statements that the servers have sent for each of these keys, by Postgres's own log. */
  counts(keys: readonly string[]): Promise<number[]>
  statements(key: string): Promise<number>
}

type Options = Pick<RequestOptions, 'within' | 'signal' | 'agent'>

let made = 0
/** `application_name` of a server. */
const SERVER = /^s\d+$/
/** Keys of {@link newKey} in a text. */
const KEYS = /key-\d+-\d{6,}\./g

/** A key that nobody has used; none is the beginning of another. */
export const newKey = (): string => `key-${process.pid}-${String(++made).padStart(6, '0')}.`

/** @param own an environment for each server on top of `env` */
export async function openFront(count: number, env: Env = {}, own: Env[] = []): Promise<Front> {
  const pg = postgres('pg')
  const [db, since] = await Promise.all([pg.database(), pg.marker()])
  const settings = Array.from({ length: count }, (_, i) => ({ ...env, ...own[i] }))
  const all = await startServers(db, settings)

  const counts: Front['counts'] = async (keys) => {
    const log = await pg.statements({ database: db.name }, since)
    const seen = new Map<string, number>()
    for (const { application, text, parameters } of log) {
      if (!SERVER.test(application)) continue
      for (const key of new Set(`${text} ${parameters}`.match(KEYS))) seen.set(key, (seen.get(key) ?? 0) + 1)
    }
    return keys.map((key) => seen.get(key) ?? 0)
  }
  const rows: Front['rows'] = async (n, value = 'v1') => {
    const keys = Array.from({ length: n }, newKey)
    await db.sql('INSERT INTO data (key, value) SELECT k, $2::jsonb FROM unnest($1::text[]) k', [
      keys,
      JSON.stringify(value),
    ])
    return keys
  }
  return {
    db,
    redis: redis('redis'),
    ...all,
    get: getAt(all.servers),
    rows,
    row: async (value) => (await rows(1, value))[0]!,
    counts,
    statements: async (key) => (await counts([key]))[0]!,
  }
}

/** The same front with more servers, which have settings of their own and end with the file. */
export async function withMore(front: Front, settings: Env[]): Promise<Front> {
  const more = await startServers(front.db, settings, front.servers.length)
  const servers = [...front.servers, ...more.servers]
  return {
    ...front,
    servers,
    toPostgres: [...front.toPostgres, ...more.toPostgres],
    toRedis: [...front.toRedis, ...more.toRedis],
    get: getAt(servers),
  }
}

/** One server for each of these settings, `s<first>` and on. */
async function startServers(db: Database, settings: Env[], first = 0): Promise<Servers> {
  const cache = redis('redis')
  const started = await Promise.all(
    settings.map(async (env, i) => {
      const name = `s${first + i}`
      const [toPostgres, toRedis] = await Promise.all([link(name, db.server), link(name, cache)])
      const stores = { DATABASE_URL: db.url(name, { via: toPostgres }), REDIS_URL: cache.url(toRedis) }
      const server = await startRole('server', { name, env: { ...stores, ...PATIENT, ...env } })
      return { server, toPostgres, toRedis }
    }),
  )
  return {
    servers: started.map(({ server }) => server),
    toPostgres: started.map(({ toPostgres }) => toPostgres),
    toRedis: started.map(({ toRedis }) => toRedis),
  }
}

const getAt =
  (servers: StartedRole[]): Front['get'] =>
  (server, key, query = '', options = {}) =>
    servers[server]!.get(`/data/${key}${query && `?${query}`}`, { within: 15_000, ...options })

/** Every query of `data` waits in Postgres until released: a computation that takes as long as the test likes. */
export const hold = (front: Front): Promise<HeldLock> => front.db.holdLock('data', 'ACCESS EXCLUSIVE')

/** A pooled connection to Postgres and a script in Redis: what only a first request needs is done. */
export async function warmUp(front: Front): Promise<void> {
  const keys = await front.rows(front.servers.length)
  await Promise.all(keys.map((key, i) => front.get(i, key)))
}

/**
 * So many GETs at once, request i at server i mod n. `begun` resolves when every server has read all of them: one that
 * was sent after them has been answered.
 */
export function herd(
  front: Front,
  count: number,
  keyOf: (index: number) => string,
  { servers = front.servers.map((_, i) => i), query = '', ...options }: HerdOptions = {},
): { begun: Promise<void>; done: Promise<Answer[]>; answered: Answer[] } {
  const answered: Answer[] = []
  const { sent, done } = burst(count, async (i) => {
    const answer = await front.get(servers[i % servers.length]!, keyOf(i), query, options)
    answered.push(answer)
    return answer
  })
  const begun = sent.then(async () => {
    for (let round = 0; round < 2; round++)
      await Promise.all(servers.map((i) => front.servers[i]!.get('/health', { within: 15_000 })))
  })
  atEnd(() => done.catch(() => {})) // no request outlives its test
  return { begun, done, answered }
}

interface HerdOptions extends Options {
  servers?: number[]
  query?: string
}

/** So many statements, of one server or of all, wait in Postgres for the table. */
export async function waiting(front: Front, server?: number, count = 1): Promise<void> {
  const of = server === undefined ? say('the servers', 'サーバー') : say(`s${server}`, `s${server}`)
  await eventually(
    say(
      `${count} statement${count > 1 ? 's' : ''} of ${of.en} waiting for the table`,
      `テーブルを待つ${of.ja}のSQL文が${count}個`,
    ),
    async () => {
      const application = server === undefined ? undefined : `s${server}`
      return (await front.db.activity({ application, waiting: true })).length
    },
    (seen) => seen >= count,
    // A burst of a thousand on a busy machine gets here late.
    { within: 15_000 },
  )
}

/** Resolves when the connection is held: what was waited for has passed. */
export async function untilHeld(held: HoldOn, label: Text): Promise<void> {
  await eventually(label, () => held.isHeld)
}

/** Statuses with their counts: `{"200": 96, "503": 104}`. */
export function tally(answers: readonly Answer[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

/** `X-Cache` of an answer. */
export const cacheOf = (answer: Answer): string => String(answer.headers['x-cache'])

/** Ends every statement of a server that waits in Postgres, again and again, until `done` has come. */
export async function terminateUntil<T>(front: Front, server: number, done: Promise<T>): Promise<T> {
  let over = false
  const watched = done.finally(() => (over = true))
  await eventually(
    say(`the answers of s${server} whose statement was ended`, `SQL文を打ち切られたs${server}の応答`),
    async () => {
      for (const { pid } of await front.db.activity({ application: `s${server}`, waiting: true }))
        await front.db.sql('SELECT pg_terminate_backend($1)', [pid])
      return over
    },
    true,
    { every: 20, within: 10_000, hint: 2 },
  )
  return watched
}

export const STATEMENTS = say('statements for the key, by the log of pg', 'このキーのSQL文の数（pgのログ）')
