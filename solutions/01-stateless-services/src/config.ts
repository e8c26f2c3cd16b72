/** An instance with half of its settings would keep its data in the wrong place: better not to start. */
function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`environment variable ${name} is missing`)
  return value
}

const number = (name: string, fallback: number) => Number(process.env[name] ?? fallback)

export const PORT = Number(required('PORT'))
export const SERVER_NAME = required('SERVER_NAME')
export const DATABASE_URL = required('DATABASE_URL')
export const REDIS_URL = required('REDIS_URL')

/** A session ends so long after its login. */
export const SESSION_TTL_MS = number('SESSION_TTL_MS', 86_400_000)
/** Largest file. */
export const MAX_UPLOAD_BYTES = number('MAX_UPLOAD_BYTES', 1_048_576)
/** Longest time from SIGTERM to exit. */
export const SHUTDOWN_MS = number('SHUTDOWN_MS', 10_000)
/** Processes that serve requests in this instance. */
export const PROCESSES = number('PROCESSES', 1)
/** Connections to Postgres of this instance, all its processes together. */
export const DB_POOL_MAX = number('DB_POOL_MAX', 10)
/** Longest wait of a request for a connection. */
export const DB_WAIT_MS = number('DB_WAIT_MS', 1000)
/** Which of the PROCESSES this one is; the first process tells its workers. */
export const WORKER_INDEX = number('WORKER_INDEX', 0)
