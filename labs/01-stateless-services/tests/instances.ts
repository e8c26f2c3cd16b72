import { Agent } from 'node:http'
import {
  atEnd,
  link,
  postgres,
  redis,
  shared,
  startRole,
  type Answer,
  type Database,
  type Link,
  type RoleOptions,
  type StartedRole,
} from '#harness'
import { giveTime } from './waits.ts'

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

/** What `app-1`, `app-2` and `app-3` have for themselves. Postgres takes 30 connections here, those of the tests too. */
const SETTINGS: Env[] = [
  { DB_POOL_MAX: 10 },
  { DB_POOL_MAX: 5 },
  // The impatient one: for the steps that wait for a time to be over.
  { DB_POOL_MAX: 5, SESSION_TTL_MS: 250, SHUTDOWN_MS: 300 },
]

/**
 * The instances that the steps share: starting them is most of what a run costs. Those that a file names are running
 * and reach Redis, whatever the last one did to them; what others have stored there has other names.
 */
export async function instances(...wanted: (1 | 2 | 3)[]): Promise<Service> {
  const service = await shared('instances', () =>
    makeService(SETTINGS, { SESSION_TTL_MS: SESSION_SECONDS * 1000, DB_WAIT_MS: 5000 }),
  )
  await service.toRedis.open()
  const apps = wanted.map((number) => service.apps[number - 1]!)
  await Promise.all(apps.filter((app) => app.readyAt === 0 || app.exit).map((app) => app.start()))
  await Promise.all(apps.map(connected))
  return { ...service, apps }
}

/** Who has just started, or whose link was broken, may still be connecting: for that moment 503 is right. */
async function connected(app: StartedRole): Promise<void> {
  await giveTime(3000, async () => {
    const asked = ['/api/me', '/api/pages/nobody/views'].map((path) =>
      app.get(path, { headers: { cookie: 'session=nobody' } }),
    )
    return howMany(503, await Promise.all(asked)) === 0
  })
}

/** One instance of three processes, which the tests and checks of a step share. Its patience outlasts every look at it. */
export function workers(): Promise<Service> {
  return shared('workers', () => startInstances(1, { PROCESSES: 3, DB_POOL_MAX: 8, DB_WAIT_MS: 8000 }))
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

/** How many of these answers have this status. */
export function howMany(status: number, answers: readonly Answer[]): number {
  return answers.filter((answer) => answer.status === status).length
}
