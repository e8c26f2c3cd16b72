import { Agent } from 'node:http'
import {
  Lending,
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

interface Stores {
  db: Database
  /** From all instances to Redis. */
  toRedis: Link
}

/** The service as its users meet it: instances on machines of their own, one Postgres, one Redis. */
export interface Service extends Stores {
  apps: StartedRole[]
  app1: StartedRole
  app2: StartedRole
  app3: StartedRole
}

type Which = 1 | 2 | 3

/** A session ends so long after its login, at the instances that the steps share. */
export const SESSION_SECONDS = 60

/** `SESSION_TTL_MS` and `SHUTDOWN_MS` of `app-3`. */
export const BRIEF_MS = 150

/** What `app-1`, `app-2` and `app-3` have for themselves. Postgres takes 30 connections here, those of the tests too. */
const SETTINGS: Env[] = [
  { DB_POOL_MAX: 10 },
  { DB_POOL_MAX: 5 },
  // The impatient one: for the steps that wait for a time to be over.
  { DB_POOL_MAX: 5, SESSION_TTL_MS: BRIEF_MS, SHUTDOWN_MS: BRIEF_MS },
]

const COMMON: Env = { SESSION_TTL_MS: SESSION_SECONDS * 1000, DB_WAIT_MS: 5000 }

/**
 * The instances that the steps share: starting them is most of what a run costs. Those that a file names are running
 * and reach Redis, whatever the last one did to them; what others have stored there has other names.
 */
export async function instances(...wanted: Which[]): Promise<Service> {
  const { stores, apps: begun } = await begunInstances()
  await stores.toRedis.open()
  const apps = await Promise.all(wanted.map((which) => running(which)))
  await Promise.all(apps.map(connected))
  return serviceOf(
    stores,
    apps,
    await Promise.all([1, 2, 3].map(async (which) => begun.begun(`app-${which}`))),
  )
}

/** One of them, started just now. */
export function startedAnew(which: Which): Promise<StartedRole> {
  return running(which, (app) => app.restart())
}

const begunInstances = () =>
  shared('instances', async () => ({
    stores: await makeStores(),
    apps: new Lending<StartedRole>(),
  }))

/** Starts an instance that nobody has asked for yet; one that is known is made ready. */
async function running(
  which: Which,
  ready = (app: StartedRole): Promise<void> => app.up(),
): Promise<StartedRole> {
  const { stores, apps } = await begunInstances()
  const name = `app-${which}`
  const known = apps.begun(name)
  if (!known) return apps.lend(name, () => addInstance(stores, name, { ...COMMON, ...SETTINGS[which - 1] }))
  const app = await known
  await ready(app)
  return app
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
  const stores = await makeStores()
  const names = Array.from({ length: count }, (_, i) => `app-${i + 1}`)
  const apps = await Promise.all(names.map((name) => addInstance(stores, name, env)))
  return serviceOf(stores, apps, apps)
}

/** Starts one more beside them, or only prepares its machine. */
export function addInstance(
  { db, toRedis }: Stores,
  name: string,
  env: Env,
  options: Pick<RoleOptions, 'start' | 'ready'> = {},
): Promise<StartedRole> {
  const stores = { DATABASE_URL: db.url(name), REDIS_URL: redis('redis').url(toRedis) }
  return startRole('server', { name, env: { ...stores, ...env }, ...options })
}

async function makeStores(): Promise<Stores> {
  const [db, toRedis] = await Promise.all([postgres('pg').database(), link('app', redis('redis'))])
  return { db, toRedis }
}

/** @param numbered `app-1`, `app-2` and `app-3`; a file has those that it asked for */
function serviceOf(stores: Stores, apps: StartedRole[], numbered: (StartedRole | undefined)[]): Service {
  const [app1, app2, app3] = numbered as StartedRole[]
  return { ...stores, apps, app1: app1!, app2: app2!, app3: app3! }
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
