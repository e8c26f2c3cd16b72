/** A server that does not know its database has nothing to serve: better not to start. */
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

// #region settings
/** An entry of L1 is not used when it is older. */
export const L1_TTL_MS = number('L1_TTL_MS', 60_000)
/** Entries of L1, absent ones included. */
export const L1_MAX = number('L1_MAX', 1000)
/** Mean life of an entry of L2. */
export const L2_TTL_MS = number('L2_TTL_MS', 3_600_000)
/** Life of "this key does not exist", in both tiers. */
export const NEGATIVE_TTL_MS = number('NEGATIVE_TTL_MS', 1000)

/** A command that Redis has not answered by then has failed. */
export const REDIS_TIMEOUT_MS = number('REDIS_TIMEOUT_MS', 100)
/** Longest pause between two attempts to reconnect. */
export const REDIS_RETRY_MS = number('REDIS_RETRY_MS', 50)
export const SHUTDOWN_MS = number('SHUTDOWN_MS', 10_000)
// #endregion settings
