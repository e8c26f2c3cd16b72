import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { PORT, SERVER_NAME, SHUTDOWN_MS } from './config.ts'
import { replicas } from './nodes.ts'

const app = new Hono()
let stopping = false

app.use(async (c, next) => {
  await next()
  c.header('X-Served-By', SERVER_NAME)
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
})

// TODO(seconds): once there is a background sample, "starting" (503) until the first one is taken or has failed.
app.get('/health', (c) => c.json({ status: 'ok' }))

// #region replication
// TODO(bytes): GET /replication: the primary's position, and how far each replica is from it, in bytes.
// TODO(seconds): lagSeconds. On an idle primary a replica that has everything is 0 s behind, at 4 a.m. too.
// TODO(watch): GET /replication/wait, GET /metrics, and a webhook that is called when a state changes.
// #endregion replication

// #region write
// TODO(own-writes): POST /orders and PUT /orders/:id on the primary, and a token that the client brings back.
// TODO(durability): "durability" in POST /orders, and an end to a COMMIT that waits for replicas.
// #endregion write

// #region read
let turn = 0

// TODO(own-writes): a read with X-Consistency-Token sees everything that the token stands for.
// TODO(monotonic): every answer carries a token, that of a read too.
// TODO(bounded): X-Max-Lag-Ms; a replica further behind than this does not answer.
app.get('/orders/:id', async (c) => {
  const { name, pool } = replicas[turn++ % replicas.length]!
  const { rows } = await pool.query('SELECT id, user_id AS "userId", status FROM orders WHERE id = $1', [
    c.req.param('id'),
  ])
  c.header('X-Node', name)
  return rows.length > 0 ? c.json(rows[0]) : c.json({ error: 'not_found' }, 404)
})
// #endregion read

app.notFound((c) => c.json({ error: 'not_implemented' }, 501))

const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })

process.on('SIGTERM', () => {
  stopping = true
  server.close(() => process.exit(0))
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})
