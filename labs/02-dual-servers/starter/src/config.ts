/** A server with half of its settings would serve the wrong half of the users: better not to start. */
function required(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`environment variable ${name} is missing`)
  return value
}

const milliseconds = (name: string, fallback: number) => Number(process.env[name] ?? fallback)

export const PORT = Number(required('PORT'))
export const SERVER_NAME = required('SERVER_NAME')
export const DATABASE_URL = required('DATABASE_URL')
export const PARTITION = required('PARTITION')
export const PEER_NAME = required('PEER_NAME')
export const PEER_URL = required('PEER_URL')
export const PEER_TOKEN = required('PEER_TOKEN')

export const PEER_TIMEOUT_MS = milliseconds('PEER_TIMEOUT_MS', 1000)
export const PEER_CHECK_MS = milliseconds('PEER_CHECK_MS', 10_000)
export const SYNC_RETRY_MS = milliseconds('SYNC_RETRY_MS', 1000)
export const DB_TIMEOUT_MS = milliseconds('DB_TIMEOUT_MS', 1000)
export const SHUTDOWN_MS = milliseconds('SHUTDOWN_MS', 10_000)
