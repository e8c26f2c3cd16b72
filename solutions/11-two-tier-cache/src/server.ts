import { serve } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { DatabaseError } from 'pg'
import * as cache from './cache.ts'
import { PORT, SERVER_NAME, SHUTDOWN_MS } from './config.ts'
import { DatabaseUnavailable, pool } from './items.ts'
import type { Entry } from './l1.ts'
import { closeRedis } from './l2.ts'
import { counts, latencies, metrics } from './metrics.ts'

const app = new Hono()
let stopping = false

app.use(async (c, next) => {
  await next()
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
})

// #region read
app.get('/items/:key', async (c) => {
  const begun = performance.now()
  counts.requests += 1
  try {
    const key = c.req.param('key')
    if (!isKey(key)) return badRequest(c)
    const { entry, tier } = await cache.read(key)
    c.header('x-cache', tier)
    return entry.found ? c.json(shown(key, entry)) : c.json({ error: 'not_found' }, 404)
  } finally {
    latencies.add(performance.now() - begun)
  }
})
// #endregion read

// #region write
app.put('/items/:key', async (c) => {
  const key = c.req.param('key')
  const body: unknown = await c.req.json().catch(() => null)
  if (!isKey(key) || !hasValue(body)) return badRequest(c)
  return c.json(shown(key, await cache.write(key, body.value)))
})

app.delete('/items/:key', async (c) => {
  const key = c.req.param('key')
  if (!isKey(key)) return badRequest(c)
  await cache.remove(key)
  return c.body(null, 204)
})
// #endregion write

app.get('/metrics', (c) => c.json(metrics()))

// #region health
let ready = false

app.get('/health', async (c) => {
  // Once ready it stays so: with what is in memory it can answer without Redis and without Postgres.
  ready ||= cache.settled && (await databaseAnswers())
  return ready ? c.json({ status: 'ok' }) : c.json({ status: 'starting' }, 503)
})

function databaseAnswers(): Promise<boolean> {
  return pool.query('SELECT 1').then(
    () => true,
    () => false,
  )
}
// #endregion health

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
    closeRedis()
    void pool.end().then(() => process.exit(0))
  })
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})
