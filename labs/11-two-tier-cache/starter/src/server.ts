import { serve } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { Redis } from 'ioredis'
import { DatabaseError } from 'pg'
import { PORT, REDIS_URL, SERVER_NAME, SHUTDOWN_MS } from './config.ts'
import { DatabaseUnavailable, deleteItem, findItem, pool, saveItem } from './items.ts'
import type { Entry } from './l1.ts'

// TODO(lost-message): how long does a command wait when Redis is gone? What is resubscribed by itself, and what is lost?
const redis = new Redis(REDIS_URL, { retryStrategy: () => 50 })
redis.on('error', () => {})

const app = new Hono()
let stopping = false

app.use(async (c, next) => {
  await next()
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
})

// #region read
app.get('/items/:key', async (c) => {
  const key = c.req.param('key')
  if (!isKey(key)) return badRequest(c)
  // TODO(read-through): three places can answer. Ask the cheapest first.
  // TODO(values): each of them has to tell a value, "absent" and "I don't know" apart.
  const entry = await findItem(key)
  c.header('x-cache', 'db')
  return entry.found ? c.json(shown(key, entry)) : c.json({ error: 'not_found' }, 404)
})
// #endregion read

// #region write
app.put('/items/:key', async (c) => {
  const key = c.req.param('key')
  const body: unknown = await c.req.json().catch(() => null)
  if (!isKey(key) || !hasValue(body)) return badRequest(c)
  const entry = await saveItem(key, body.value)
  // TODO(write-path): who else remembers this key?
  return c.json(shown(key, entry))
})

app.delete('/items/:key', async (c) => {
  const key = c.req.param('key')
  if (!isKey(key)) return badRequest(c)
  await deleteItem(key)
  // TODO(write-path): and who remembers what has gone?
  return c.body(null, 204)
})
// #endregion write

// TODO(metrics): requests, hits and misses by tier, latencies, invalidations.
app.get('/metrics', (c) => c.json({ error: 'not_implemented' }, 501))

app.get('/health', async (c) => {
  try {
    await pool.query('SELECT 1')
    return c.json({ status: 'ok' })
  } catch {
    return c.json({ status: 'starting' }, 503)
  }
})

app.onError((error, c) => {
  // SQLSTATE class 22: `jsonb` and `text` refuse some strings, U+0000 for one.
  if (error instanceof DatabaseError && error.code?.startsWith('22')) return badRequest(c)
  if (error instanceof DatabaseUnavailable) return c.json({ error: 'database_unavailable' }, 503)
  console.error(SERVER_NAME, error)
  return c.json({ error: 'internal' }, 500)
})

const isKey = (key: string) => key.length > 0 && Array.from(key).length <= 200

function hasValue(body: unknown): body is { value: unknown } {
  return typeof body === 'object' && body !== null && Object.hasOwn(body, 'value')
}

function badRequest(c: Context) {
  return c.json({ error: 'bad_request' }, 400)
}

function shown(key: string, { value, version }: Entry) {
  return { key, value, version }
}

const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })

process.on('SIGTERM', () => {
  stopping = true
  server.close(() => {
    redis.disconnect()
    void pool.end().then(() => process.exit(0))
  })
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})
