import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { PORT, SERVER_NAME, SHUTDOWN_MS } from './env.ts'

const app = new Hono()
let stopping = false

app.use(async (c, next) => {
  await next()
  c.header('X-Served-By', SERVER_NAME)
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
})

app.get('/health', (c) => c.json({ status: 'ok' }))

app.get('/status', (c) => c.json({ epoch: 0, primary: null }))

// #region orders
// TODO(clients): find the primary in `pg:topology`, write there, and go with it when it changes. Every answer comes
// within WRITE_TIMEOUT_MS; the same id with the same item is 200, with another one 409.
app.all('/orders/*', (c) => c.json({ error: 'database_unavailable' }, 503, { 'Retry-After': '1' }))
// #endregion orders

app.notFound((c) => c.json({ error: 'not_found' }, 404))

const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })

process.on('SIGTERM', () => {
  stopping = true
  server.close(() => process.exit(0))
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})
