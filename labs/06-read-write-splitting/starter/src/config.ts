/** A gateway that does not know its primary has nothing to do: better not to start. */
function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`environment variable ${name} is missing`)
  return value
}

const number = (name: string, fallback: number) => Number(process.env[name] ?? fallback)

/** Reads of these tables go there; the first rule that matches counts. */
export interface Rule {
  tables: string[]
  to: 'primary' | 'analytics'
}

export const PORT = Number(required('PORT'))
export const SERVER_NAME = required('SERVER_NAME')
export const SHUTDOWN_MS = number('SHUTDOWN_MS', 5000)

export const DATABASE_URL = required('DATABASE_URL')
/** In this order they are `replica-1`, `replica-2`, … */
export const REPLICA_URLS = (process.env.REPLICA_URLS ?? '').split(',').filter(Boolean)
export const ANALYTICS_URL = process.env.ANALYTICS_URL

export const PRIMARY_POOL_MAX = number('PRIMARY_POOL_MAX', 5)
export const REPLICA_POOL_MAX = number('REPLICA_POOL_MAX', 10)
export const READ_BALANCE = process.env.READ_BALANCE ?? 'round-robin'

export const READ_TIMEOUT_MS = number('READ_TIMEOUT_MS', 300)
export const WRITE_TIMEOUT_MS = number('WRITE_TIMEOUT_MS', 2000)
export const EJECT_MS = number('EJECT_MS', 200)
export const FALLBACK_MAX = number('FALLBACK_MAX', 5)
export const TX_IDLE_MS = number('TX_IDLE_MS', 1000)

export const ROUTES = JSON.parse(process.env.ROUTES ?? '[]') as Rule[]
export const ANALYTICS_MIN_COST = number('ANALYTICS_MIN_COST', Infinity)
