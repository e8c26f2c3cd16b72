import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { PORT, SERVER_NAME, SHUTDOWN_MS } from './config.ts'
import { pool, query } from './database.ts'
import { fill, read } from './entries.ts'
import { redis } from './redis.ts'

const app = new Hono()
let stopping = false
let ready = false

app.use(async (c, next) => {
  await next()
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
})

app.get('/health', async (c) => {
  if (!ready) {
    try {
      await Promise.all([redis.ping(), pool.query('SELECT 1')])
      ready = true
    } catch {
      return c.json({ status: 'starting' }, 503)
    }
  }
  return c.json({ status: 'ok' })
})

// #region get
app.get('/data/:key', async (c) => {
  const key = c.req.param('key')
  // TODO(freshness): ?consistency=strong|bounded|eventual and ?maxAgeMs=; which entry may answer which question?
  // TODO(degrade): Redis may be gone, or silent. Postgres is still there, and must stay there.
  const cached = await read(key)
  if (cached && Date.now() < cached.freshUntil) {
    // TODO(early): a popular entry should be refreshed before it ends, and not by everybody at once.
    c.header('X-Cache', 'hit')
    const { value, version, fetchedAt } = cached
    return c.json({ key, value, version, ageMs: Date.now() - fetchedAt })
  }

  // TODO(single-flight): how many requests of this server come by here for the same key at the same moment?
  // TODO(lock): and how many servers?
  // TODO(lock-safety): who has the lock may die, or wake up when it is somebody else's.
  const entry = await query(key)
  c.header('X-Cache', 'miss')
  if (!entry) return c.json({ error: 'not_found' }, 404)
  await fill(key, entry)
  return c.json({ key, value: entry.value, version: entry.version, ageMs: Date.now() - entry.fetchedAt })
})
// #endregion get

app.notFound((c) => c.json({ error: 'not_found' }, 404))

app.onError((error, c) => {
  console.error(SERVER_NAME, error)
  return c.json({ error: 'database_unavailable' }, 503)
})

const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })

process.on('SIGTERM', () => {
  stopping = true
  server.close(() => process.exit(0))
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})
