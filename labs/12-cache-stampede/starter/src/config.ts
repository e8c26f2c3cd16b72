/** Without its stores this process has nothing to do: better not to start. */
function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`environment variable ${name} is missing`)
  return value
}

const number = (name: string, fallback: number) => Number(process.env[name] ?? fallback)

export const PORT = number('PORT', 3000)
export const SERVER_NAME = process.env.SERVER_NAME ?? 'server'
/** It carries application_name=<SERVER_NAME>. */
export const DATABASE_URL = required('DATABASE_URL')
export const REDIS_URL = required('REDIS_URL')
export const SHUTDOWN_MS = number('SHUTDOWN_MS', 10_000)

/** An entry is fresh for this long, ±10 %, drawn at every fill. */
export const TTL_MS = number('TTL_MS', 10_000)
/** After that it is stale, and may still be served for this long. */
export const STALE_MS = number('STALE_MS', 60_000)
/** An absent row is remembered for no longer than this. */
export const ABSENT_MS = 1000

/** Life of a lock that nobody gives back. */
export const LOCK_TTL_MS = number('LOCK_TTL_MS', 5000)
/** Longest wait for somebody else's computation. */
export const LOCK_WAIT_MS = number('LOCK_WAIT_MS', 3000)

/** Eagerness of early refresh; 0 = never. */
export const XFETCH_BETA = number('XFETCH_BETA', 1)

/** Statements of this server in Postgres at the same time. */
export const DB_MAX_CONCURRENCY = number('DB_MAX_CONCURRENCY', 4)
/** Requests of this server that may wait for one of these. */
export const DB_QUEUE_MAX = number('DB_QUEUE_MAX', 20)

/** A Redis command without an answer by then has failed. */
export const REDIS_TIMEOUT_MS = number('REDIS_TIMEOUT_MS', 100)
/** Longest pause between two attempts to reach Redis again. */
export const REDIS_RETRY_MS = number('REDIS_RETRY_MS', 50)

export const WARM_LIMIT = number('WARM_LIMIT', 100)
export const WARM_MIN_ACCESS = number('WARM_MIN_ACCESS', 1000)
export const WARM_BATCH = number('WARM_BATCH', 10)
export const WARM_PAUSE_MS = number('WARM_PAUSE_MS', 100)
