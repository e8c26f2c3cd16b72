import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { number, REDIS_URL, SERVER_NAME } from './env.ts'

/** Longest that a request may take. */
export const WRITE_TIMEOUT_MS = number('WRITE_TIMEOUT_MS', 2000)

interface Current {
  epoch: number
  name: string
  url: string
  pool: Pool
}

let current: Current | undefined

/** The primary as this server knows it. */
export const primary = (): Current | undefined => current

// #region follow
const KEY = 'pg:topology'

/** Takes what the message says. */
function take(text: string | null): void {
  const topology = text === null ? undefined : JSON.parse(text)
  if (!topology) return
  const { name, url } = topology.primary
  const old = current
  const stays = old?.url === url
  current = { epoch: topology.epoch, name, url, pool: stays ? old!.pool : poolOf(url) }
  if (old && !stays) void old.pool.end().catch(() => {}) // its server is gone
}

function poolOf(url: string): Pool {
  const own = new URL(url)
  own.searchParams.set('application_name', SERVER_NAME)
  const pool = new Pool({
    connectionString: own.href,
    max: 10,
    connectionTimeoutMillis: WRITE_TIMEOUT_MS,
    query_timeout: WRITE_TIMEOUT_MS,
  })
  // An idle connection was lost; the pool has dropped it. Without a listener the event ends the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

const redis = new Redis(REDIS_URL, {
  commandTimeout: 500,
  maxRetriesPerRequest: 0,
  retryStrategy: () => 100,
})
const news = new Redis(REDIS_URL, { retryStrategy: () => 100 })
for (const connection of [redis, news]) connection.on('error', () => {}) // it connects again by itself

/** A message may be missed; the key stays. */
export async function readKey(): Promise<void> {
  take(await redis.get(KEY).catch(() => null))
}

const AGAIN_MS = 500

export async function followTopology(): Promise<void> {
  news.on('message', (_channel, text) => take(text))
  // Also after a reconnect: what was published meanwhile was told to nobody here.
  news.on('ready', () => void readKey())
  news.subscribe(KEY).catch(() => {}) // made again with the connection
  setInterval(() => void readKey(), AGAIN_MS).unref()
  await readKey()
}
// #endregion follow

export async function leave(): Promise<void> {
  redis.disconnect()
  news.disconnect()
  await current?.pool.end()
}
