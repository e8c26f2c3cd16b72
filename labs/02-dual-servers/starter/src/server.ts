import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { Pool } from 'pg'
import { DATABASE_URL, PORT, SERVER_NAME, SHUTDOWN_MS } from './config.ts'

const pool = new Pool({ connectionString: DATABASE_URL })
// An idle connection was lost; the pool has dropped it and opens another when it needs one.
pool.on('error', () => {})

const app = new Hono()
let stopping = false

// #region request-log
app.use(async (c, next) => {
  // TODO(cross-read): give every request an id, and carry it to the answer, the log and the peer.
  const start = performance.now()
  await next()
  const { method, path } = c.req
  if (path !== '/health')
    log('request', { method, path, status: c.res.status, ms: performance.now() - start })
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
})
// #endregion request-log

app.notFound((c) => c.json({ error: 'not_implemented' }, 501))

// #region guard
// TODO(split): whose request is this? Ask before the routes with x-user-id do anything.
// #endregion guard

// #region own-profile
// TODO(split): GET and PUT /api/profile.
// #endregion own-profile

// #region cross-read
// TODO(cross-read): GET /api/user/:id/profile, and a way for the peer to ask this server.
// #endregion cross-read

// #region health
app.get('/health', async (c) => {
  const about = { server: SERVER_NAME, uptime: process.uptime() }
  try {
    // TODO(health): a database that never answers must not be waited for longer than DB_TIMEOUT_MS.
    await pool.query('select 1')
    // TODO(health): add what the last check of the peer saw. Who checks, and when?
    return c.json({ status: 'ok', database: 'connected', ...about })
  } catch {
    return c.json({ status: 'unhealthy', database: 'unreachable', ...about }, 503)
  }
})
// #endregion health

// #region settings
// TODO(queue): GET and PUT /api/global-settings; carry each change to the peer under /api/sync/.
// TODO(once): the peer records each change once, in order, however often it is sent.
// TODO(agree): when both servers changed a setting, both end with the same value.
// #endregion settings

// #region metrics
app.get('/api/metrics', (c) => {
  // TODO(queue): count the changes that the peer has not confirmed.
  // TODO(metrics): requests, errors, latencies and connections; then GET /api/metrics/total.
  return c.json({ totals: { pendingSyncs: 0 } })
})
// #endregion metrics

function log(message: string, fields: object): void {
  console.log(JSON.stringify({ at: new Date().toISOString(), server: SERVER_NAME, message, ...fields }))
}

const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })

process.on('SIGTERM', () => {
  stopping = true
  server.close(() => void pool.end().then(() => process.exit(0)))
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})
