import { share } from '../../../../solutions/01-stateless-services/src/share.ts'

/** Slots that Postgres keeps for the superuser. */
export const RESERVED = 3
export const MOST_MACHINES = 12
/** Milliseconds that a request spends in Postgres, of those it takes in all. */
export const DATABASE_MS = 5

export type Event = 'none' | 'kill' | 'deploy'

export interface Settings {
  /** Requests per second that come. */
  load: number
  /** Milliseconds of one core that a request takes. */
  ms: number
  cores: number
  machines: number
  /** What a core costs more each time the machine doubles, in percent. */
  premium: number
  /** `DB_POOL_MAX` of each instance. */
  pool: number
  maxConnections: number
  /** Statements that the database really runs at once. */
  databaseSlots: number
  event: Event
}

export interface Outcome {
  /** Requests per second that the machines carry, that the database carries, that are answered. */
  appCapacity: number
  databaseCapacity: number
  throughput: number
  /** Share of the time that a core is busy; above 1 the queue grows without end. */
  utilisation: number
  /** Average wait for a core in milliseconds; undefined when the queue grows without end. */
  waitMs: number | undefined
  price: number
  /** Connections of each of one instance's workers, by the solution's `share`. */
  workers: number[]
  connections: { wanted: number; allowed: number; granted: number; refused: number }
  /** Share of the requests that are not answered while the event lasts. */
  failing: number
  /** What one more machine adds to the throughput. */
  gainOfNext: number
}

/** Everything that the page shows, from the settings alone. Who gets which connections is the solution's own module. */
export function simulate(settings: Settings): Outcome {
  const { cores, machines, load, ms, pool } = settings
  const now = capacities(settings, machines)
  const utilisation = load / now.app
  return {
    appCapacity: now.app,
    databaseCapacity: now.database,
    throughput: carried(settings, machines),
    utilisation,
    waitMs: waitingTime(cores, load / machines, ms),
    price: priceOf(settings),
    workers: Array.from({ length: cores }, (_, index) => share(pool, cores, index)),
    connections: connectionsOf(settings, machines),
    failing: failing(settings),
    gainOfNext: most(settings, machines + 1) - most(settings, machines),
  }
}

interface Capacities {
  app: number
  database: number
}

function capacities(settings: Settings, machines: number): Capacities {
  const { cores, ms, databaseSlots } = settings
  const { granted } = connectionsOf(settings, machines)
  return {
    app: (machines * cores * 1000) / ms,
    // More connections than it can run at once only wait inside instead of outside.
    database: (Math.min(databaseSlots, granted) * 1000) / DATABASE_MS,
  }
}

/** What so many machines carry at most. */
function most(settings: Settings, machines: number): number {
  const { app, database } = capacities(settings, machines)
  return Math.min(app, database)
}

function carried(settings: Settings, machines: number): number {
  return Math.min(settings.load, most(settings, machines))
}

function connectionsOf({ pool, maxConnections }: Settings, machines: number): Outcome['connections'] {
  const wanted = machines * pool
  const allowed = Math.max(0, maxConnections - RESERVED)
  const granted = Math.min(wanted, allowed)
  return { wanted, allowed, granted, refused: wanted - granted }
}

/** A machine of twice the cores costs twice as much, and the premium on top: how prices grow at the upper end. */
function priceOf({ cores, machines, premium }: Settings): number {
  return machines * cores * (1 + premium / 100) ** Math.log2(cores / 2)
}

/**
 * Requests that get no answer. Killed: clients go round robin and do not repeat. Deploy: one machine after the other is
 * taken out politely, so only what the others cannot carry is lost; a machine that is alone takes everything with it.
 */
function failing(settings: Settings): number {
  const { event, machines, load } = settings
  if (event === 'none') return 1 - carried(settings, machines) / load
  if (machines === 1) return 1
  const rest = machines - 1
  if (event === 'deploy') return 1 - carried(settings, rest) / load
  const reaching = load * (rest / machines)
  return 1 - Math.min(reaching, most(settings, rest)) / load
}

/** Average wait in a queue with `cores` servers (M/M/c, Erlang C), one queue for each machine. */
export function waitingTime(cores: number, perSecond: number, ms: number): number | undefined {
  const offered = (perSecond * ms) / 1000
  if (offered >= cores) return undefined
  let blocking = 1
  for (let n = 1; n <= cores; n++) blocking = (offered * blocking) / (n + offered * blocking)
  const waits = blocking / (1 - (offered / cores) * (1 - blocking))
  return (waits * ms) / (cores - offered)
}
