import { Agent } from 'node:http'
import {
  link,
  postgres,
  redis,
  shared,
  startRole,
  type Answer,
  type Database,
  type Link,
  type Monitor,
  type Random,
  type StartedRedis,
  type StartedRole,
} from '#harness'

type Env = Record<string, string | number>

/**
 * What becomes right soon was made right by an invalidation, not by time: nothing expires within a test, and a busy
 * machine is no dead Redis.
 */
const PATIENT: Env = { L1_TTL_MS: 600_000, NEGATIVE_TTL_MS: 600_000, REDIS_TIMEOUT_MS: 2000 }

/** One server, and a link on each of its two paths. */
export interface Server {
  name: string
  role: StartedRole
  toPg: Link
  toRedis: Link
  get(key: string): Promise<Answer>
  put(key: string, value: unknown): Promise<Answer>
  delete(key: string): Promise<Answer>
}

/** What Redis and Postgres were asked about a key. */
export interface Asked {
  redis: number
  statements: number
}

export interface Watched<T> {
  result: T
  /** How often a key was named meanwhile; in statements of one server where it is given. */
  asked: (key: string, server?: Server) => Asked
}

/** Servers over one Redis and a database of their own. They end with the test, or with the file. */
export interface Fleet {
  db: Database
  redis: StartedRedis
  servers: Server[]
  /** One more server, with a name of its own. It is none of `servers`, and ends with the test or file that asks for it. */
  server(env?: Env): Promise<Server>
  /** Does the work, and tells from the logs what was asked meanwhile: both are read from marker to marker. */
  watch<T>(work: () => Promise<T>): Promise<Watched<T>>
}

/** Opens a database and starts `s0` to `s<count - 1>`. */
export async function startFleet(count: number, env: Env = {}): Promise<Fleet> {
  const cache = redis('redis')
  // Before any of these servers runs: what others have left in Redis is of another database. None of those runs any
  // more where a fleet is begun inside `shared`.
  await cache.client.flushall()
  const [db, monitor] = await Promise.all([postgres('pg').database(), cache.monitor()])
  let named = 0
  const server = (more: Env = {}): Promise<Server> =>
    startServer(`s${named++}`, db, cache, { ...PATIENT, ...env, ...more })
  const servers = await Promise.all(Array.from({ length: count }, () => server()))
  return { db, redis: cache, servers, server, watch: (work) => watch(db, monitor, work) }
}

/** `s0` to `s3`, the same ones for all files of a run that ask for them. */
export const fourServers = (): Promise<Fleet> => shared('four servers', () => startFleet(4))

/** One server, and the links from it to its database and to Redis. */
export async function startServer(
  name: string,
  db: Database,
  cache: StartedRedis,
  env: Env,
): Promise<Server> {
  const [toPg, toRedis] = await Promise.all([link(name, db.server), link(name, cache)])
  const role = await startRole('server', {
    name,
    env: { DATABASE_URL: db.url(name, { via: toPg }), REDIS_URL: cache.url(toRedis), ...env },
  })
  return {
    name,
    role,
    toPg,
    toRedis,
    get: (key) => role.get(path(key)),
    put: (key, value) => role.put(path(key), { value }),
    delete: (key) => role.delete(path(key)),
  }
}

export const path = (key: string): string => `/items/${encodeURIComponent(key)}`

async function watch<T>(db: Database, monitor: Monitor, work: () => Promise<T>): Promise<Watched<T>> {
  const [since] = await Promise.all([db.server.marker(), monitor.clear()])
  const result = await work()
  const [statements, commands] = await Promise.all([
    db.server.statements({ database: db.name }, since),
    monitor.commands(),
  ])
  const sent = statements.map(({ application, text, parameters }) => ({
    application,
    text: `${text} ${parameters}`,
  }))
  return {
    result,
    asked: (key, server) => ({
      redis: commands.filter(({ args }) => args.some((arg) => arg.includes(mark(key)))).length,
      statements: sent.filter(
        ({ application, text }) =>
          text.includes(mark(key)) && (server === undefined || application === server.name),
      ).length,
    }),
  }
}

let keys = 0

/** A key that no other test uses. */
export function newKey(random: Random, tail = ''): string {
  return `${random.word(10)}${++keys}.${tail}`
}

/** The part of {@link newKey} that logs show as it is, whatever they do to other characters. */
function mark(key: string): string {
  return /^[a-z]{10}\d+\./.exec(key)?.[0] ?? key
}

/** A row by SQL, behind every server's back. Its version. */
export async function insert(fleet: Fleet, key: string, value: unknown): Promise<number> {
  const [row] = await fleet.db.sql(
    `INSERT INTO items (key, value) VALUES ($1, $2)
     ON CONFLICT (key) DO UPDATE SET value = excluded.value RETURNING version::int`,
    [key, JSON.stringify(value)],
  )
  return row!.version as number
}

/** So many reads, twenty at a time over connections that are kept. */
export async function readOften(server: Server, key: string, count: number): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: 20 })
  let left = count
  const reader = async (): Promise<void> => {
    while (left-- > 0) await server.role.get(path(key), { agent })
  }
  await Promise.all(Array.from({ length: 20 }, reader))
  agent.destroy()
}

/** Does it for each of them, twenty at a time. */
export async function forAll(keys: readonly string[], one: (key: string) => Promise<unknown>): Promise<void> {
  for (let i = 0; i < keys.length; i += 20) await Promise.all(keys.slice(i, i + 20).map(one))
}

/** Each server once, in turn. */
export async function each(servers: readonly Server[], key: string): Promise<Answer[]> {
  const answers: Answer[] = []
  for (const server of servers) answers.push(await server.get(key))
  return answers
}
