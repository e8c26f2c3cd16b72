/** An order service that does not know its primary has nothing to do: better not to start. */
function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`environment variable ${name} is missing`)
  return value
}

const number = (name: string, fallback: number) => Number(process.env[name] ?? fallback)

export const PORT = Number(required('PORT'))
export const SERVER_NAME = required('SERVER_NAME')
export const SHUTDOWN_MS = number('SHUTDOWN_MS', 5000)

export const DATABASE_URL = required('DATABASE_URL')
/** In this order they are `replica-1`, `replica-2`, … */
export const REPLICA_URLS = (process.env.REPLICA_URLS ?? '').split(',').filter(Boolean)

/** Interval of the background lag sample. */
export const SAMPLE_MS = number('SAMPLE_MS', 50)
/** Longest a read waits for replicas to reach its token before it uses the primary. */
export const WAIT_MS = number('WAIT_MS', 200)

/** Where alerts are posted; none where it is unset. */
export const ALERT_URL = process.env.ALERT_URL
/** A replica over either of these, or unreachable, is lagging. */
export const ALERT_LAG_BYTES = number('ALERT_LAG_BYTES', 1_048_576)
export const ALERT_LAG_SECONDS = number('ALERT_LAG_SECONDS', 1)
/** So many samples in a row before an alert fires or resolves. */
export const ALERT_AFTER = number('ALERT_AFTER', 3)

/** Longest a write waits for synchronous replicas. */
export const DURABILITY_TIMEOUT_MS = number('DURABILITY_TIMEOUT_MS', 300)
