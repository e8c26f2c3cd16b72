import { Agent } from 'node:http'
import {
  atEnd,
  eventually,
  link,
  postgres,
  redis,
  say,
  shared,
  startRole,
  type Answer,
  type Database,
  type Exit,
  type HeldLock,
  type Link,
  type RequestOptions,
  type RoleOptions,
  type StartedRole,
  type Text,
} from '#harness'

type Env = Record<string, string | number | undefined>

/** The service as its users meet it: instances on machines of their own, one Postgres, one Redis. */
export interface Service {
  apps: StartedRole[]
  app1: StartedRole
  app2: StartedRole
  app3: StartedRole
  db: Database
  /** From all instances to Redis. */
  toRedis: Link
}

/** A session ends so long after its login, at the instances that the steps share. */
export const SESSION_SECONDS = 60

/** What `app-1`, `app-2` and `app-3` have for themselves. Postgres takes 27 connections here. */
const SETTINGS: Env[] = [
  { DB_POOL_MAX: 10 },
  { DB_POOL_MAX: 8 },
  // The impatient one: for the steps that wait for a time to be over.
  { DB_POOL_MAX: 8, SESSION_TTL_MS: 250, SHUTDOWN_MS: 300 },
]

/**
 * The instances that the steps share: starting them is most of what a run costs. Those that a file names are running
 * and reach Redis, whatever the last one did to them; what others have stored there has other names.
 */
export async function instances(...wanted: (1 | 2 | 3)[]): Promise<Service> {
  const service = await shared('instances', () =>
    makeService(SETTINGS, { SESSION_TTL_MS: SESSION_SECONDS * 1000 }),
  )
  await service.toRedis.open()
  const apps = wanted.map((number) => service.apps[number - 1]!)
  await Promise.all(apps.filter((app) => app.readyAt === 0 || app.exit).map((app) => app.start()))
  return { ...service, apps }
}

/** One instance of three processes, which the tests and checks of a step share. */
export function workers(): Promise<Service> {
  return shared('workers', () => startInstances(1, { PROCESSES: 3, DB_POOL_MAX: 8, DB_WAIT_MS: 5000 }))
}

/** Starts `app-1`, `app-2`, … side by side, for the caller alone. */
export async function startInstances(count: number, env: Env = {}): Promise<Service> {
  const service = await makeService(Array.from({ length: count }, () => env))
  await Promise.all(service.apps.map((app) => app.start()))
  return service
}

/** Starts one more beside them, or only prepares its machine. */
export function addInstance(
  { db, toRedis }: Pick<Service, 'db' | 'toRedis'>,
  name: string,
  env: Env,
  options: Pick<RoleOptions, 'start' | 'ready'> = {},
): Promise<StartedRole> {
  const stores = { DATABASE_URL: db.url(name), REDIS_URL: redis('redis').url(toRedis) }
  return startRole('server', { name, env: { ...stores, ...env }, ...options })
}

async function makeService(own: Env[], env: Env = {}): Promise<Service> {
  const [db, toRedis] = await Promise.all([postgres('pg').database(), link('app', redis('redis'))])
  const apps = await Promise.all(
    own.map((more, i) => addInstance({ db, toRedis }, `app-${i + 1}`, { ...env, ...more }, { start: false })),
  )
  return { apps, app1: apps[0]!, app2: apps[1]!, app3: apps[2]!, db, toRedis }
}

/** So many connections to each instance that stay open from request to request, as busy clients have them. */
export function keptConnections(each: number): Agent {
  const agent = new Agent({ keepAlive: true, maxSockets: each })
  atEnd(() => agent.destroy())
  return agent
}

/** Where the messages of a channel are. */
export function channel(name: string): string {
  return `/api/channels/${encodeURIComponent(name)}/messages`
}

/** The texts of a channel as an instance lists them; what it says instead, if it says something else. */
export async function textsAt(app: StartedRole, name: string): Promise<unknown> {
  const answer = await app.get(channel(name))
  const list: unknown = answer.body?.messages
  return Array.isArray(list) ? list.map((message) => message?.text) : (answer.broken?.en ?? answer.status)
}

type Options = Pick<RequestOptions, 'headers' | 'agent' | 'within'>

export interface Login {
  answer: Answer
  /** `session=…`, as a browser sends it back. */
  cookie: string
}

/** Logs in as `user` and keeps the cookie, as a browser does. */
export async function login(app: StartedRole, user: string, options: Options = {}): Promise<Login> {
  const answer = await app.post('/api/login', { user }, options)
  const set = answer.headers['set-cookie']?.find((line) => line.startsWith('session='))
  return { answer, cookie: set?.split(';')[0] ?? '' }
}

/** Who an instance takes the owner of this cookie for. */
export function me(app: StartedRole, cookie: string, within?: number): Promise<Answer> {
  return app.get('/api/me', { headers: { cookie }, within })
}

/** Posts an order with an idempotency key. */
export function order(app: StartedRole, key: string, body: unknown, options: Options = {}): Promise<Answer> {
  return app.post('/api/orders', body, { ...options, headers: { 'idempotency-key': key } })
}

/** Orders of this item in Postgres. */
export async function ordersOf(db: Database, item: string): Promise<number> {
  const [row] = await db.sql('SELECT count(*)::int AS count FROM orders WHERE item = $1', [item])
  return row?.count as number
}

/** Messages posted at once, which stay in progress as long as the test holds the table. */
export interface HeldMessages {
  lock: HeldLock
  answers: Promise<Answer>[]
  /** Those that have been answered already. */
  answered: Answer[]
}

/**
 * Lets so many messages get stuck in Postgres at `app`: reads pass, inserts wait. Of several processes one may get fewer
 * messages than it has connections: more are sent then, until enough wait.
 */
export async function holdMessages(
  { db }: Pick<Service, 'db'>,
  app: StartedRole,
  { count = 1, waiting = count, post = send }: HoldOptions = {},
): Promise<HeldMessages> {
  const lock = await db.holdLock('messages', 'SHARE')
  const held: HeldMessages = { lock, answers: [], answered: [] }
  const another = async (): Promise<Answer> => {
    const answer = await post(app, held.answers.length)
    held.answered.push(answer)
    return answer
  }
  while (held.answers.length < count) held.answers.push(another())
  const label = say(
    `${waiting} of the messages in progress: ${app.name} waits for the locked table`,
    `メッセージ${waiting}件が処理中になる(${app.name}がロックされた表を待つ)`,
  )
  await eventually(
    label,
    async () => {
      const { length } = await db.activity({ application: app.name, waiting: true })
      if (length < waiting && waiting < count) held.answers.push(another())
      return length
    },
    (seen) => seen >= waiting,
    { every: 20 },
  )
  return held
}

interface HoldOptions {
  count?: number
  /** How many backends must wait for the lock; default all. */
  waiting?: number
  post?: (app: StartedRole, index: number) => Promise<Answer>
}

function send(app: StartedRole, index: number): Promise<Answer> {
  return app.post(channel('held'), { author: 'ann', text: `message ${index}` }, { within: 10_000 })
}

/** Connections that Postgres counts for an instance, all its processes together. */
export async function connectionsOf(db: Database, app: StartedRole): Promise<number> {
  return (await db.activity({ application: app.name })).length
}

/** The most of them, looked at between further requests to its processes: none has an idle moment to open more. */
export async function mostConnections(db: Database, app: StartedRole): Promise<number> {
  let most = 0
  for (let look = 0; look < 5; look++) {
    await Promise.all(Array.from({ length: 6 }, () => app.get('/health', { within: 1000 })))
    most = Math.max(most, await connectionsOf(db, app))
  }
  return most
}

/** How many of these answers have this status. */
export function howMany(status: number, answers: readonly Answer[]): number {
  return answers.filter((answer) => answer.status === status).length
}

/** Waits for an instance's end after SIGTERM; how it ended, as a learner reads it. */
export async function ended(app: StartedRole, within: number, hint?: 1 | 2 | 3): Promise<string> {
  const label = say(`${app.name} ends within ${within} ms`, `${app.name}が${within}ミリ秒以内に終了する`)
  const exit = await eventually(
    label,
    () => app.exit,
    (seen) => seen !== undefined,
    { within, hint },
  )
  return describe(exit!)
}

export const EXIT: Text = say('how it ended', '終了のしかた')

function describe({ code, signal }: Exit): string {
  return signal ?? `exit ${code}`
}
