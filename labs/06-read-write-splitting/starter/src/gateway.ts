import { serve } from '@hono/node-server'
import { Hono } from 'hono'
// import { Pool } from 'pg'
import { PORT, SHUTDOWN_MS } from './config.ts'

const app = new Hono()
let stopping = false

app.use(async (c, next) => {
  await next()
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
})

app.get('/health', (c) => c.json({ status: 'ok' }))

// #region pools
// TODO(split): one pool for each node, with application_name and all else as the URLs have it.
// const primary = new Pool({ connectionString: DATABASE_URL, max: PRIMARY_POOL_MAX })
// TODO(failure): who listens when an idle connection of a pool breaks? How long may a statement run?
// #endregion pools

// #region query
// TODO(split): POST /query { sql, params? } → 200 { rows, rowCount, node }, and GET /nodes.
// TODO(classify): which statements can write? Which change the connection itself?
// TODO(consistency): consistency "strong" sees everything that was committed.
// TODO(failure): a replica that does not answer is not a statement that failed.
// TODO(routing): ROUTES, workload, ANALYTICS_MIN_COST; how many connections may each node get?
// #endregion query

// #region transactions
// TODO(transactions): POST /transactions, then /transactions/:id/query, /commit, /rollback.
// #endregion transactions

app.notFound((c) => c.json({ error: 'not_implemented' }, 501))

const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })

process.on('SIGTERM', () => {
  stopping = true
  server.close(() => process.exit(0))
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})
