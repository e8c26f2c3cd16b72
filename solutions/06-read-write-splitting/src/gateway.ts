import { serve } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { DatabaseError } from 'pg'
import { PORT, SERVER_NAME, SHUTDOWN_MS } from './config.ts'
import { Broken, nodes, Unreachable } from './nodes.ts'
import { run, SessionStatement } from './route.ts'
import { begin, end, NoTransaction, rollBackAll, RolledBack, runIn } from './transactions.ts'

class BadRequest extends Error {}

const app = new Hono()
let stopping = false

app.use(async (c, next) => {
  await next()
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
})

app.get('/health', (c) => c.json({ status: 'ok' }))

app.get('/nodes', (c) =>
  c.json(
    nodes.map(({ name, role, up, pool }) => ({
      name,
      role,
      up,
      pool: { max: pool.options.max, total: pool.totalCount },
    })),
  ),
)

// #region query
app.post('/query', async (c) => {
  const { sql, params, consistency, workload } = await statement(c)
  if (consistency !== undefined && consistency !== 'eventual' && consistency !== 'strong')
    throw new BadRequest()
  if (workload !== undefined && workload !== 'oltp' && workload !== 'analytics') throw new BadRequest()
  return c.json(await run({ sql, consistency, workload }, params))
})
// #endregion query

// #region transactions
app.post('/transactions', async (c) => {
  const text = await c.req.text()
  const { readOnly = false } = text ? await body(c) : {}
  if (typeof readOnly !== 'boolean') throw new BadRequest()
  return c.json(await begin(readOnly), 201)
})

app.post('/transactions/:id/query', async (c) => {
  const { sql, params } = await statement(c)
  return c.json(await runIn(c.req.param('id'), sql, params))
})

app.post('/transactions/:id/commit', async (c) => {
  await end(c.req.param('id'), 'COMMIT')
  return c.json({ committed: true })
})

app.post('/transactions/:id/rollback', async (c) => {
  await end(c.req.param('id'), 'ROLLBACK')
  return c.json({ committed: false })
})
// #endregion transactions

app.notFound((c) => c.json({ error: 'not_found' }, 404))

// #region errors
app.onError((error, c) => {
  if (error instanceof BadRequest) return c.json({ error: 'bad_request' }, 400)
  if (error instanceof SessionStatement) return c.json({ error: 'session_statement' }, 400)
  if (error instanceof NoTransaction) return c.json({ error: 'no_transaction' }, 404)
  if (error instanceof RolledBack) return c.json({ error: 'rolled_back', ...error.reason }, 409)
  if (error instanceof Broken) return c.json({ error: 'connection_lost' }, 503)
  if (error instanceof Unreachable)
    return c.json({ error: 'database_unavailable' }, 503, { 'retry-after': '1' })
  if (error instanceof DatabaseError) {
    const { code, message } = error
    return code === '57014' ? c.json({ error: 'timeout' }, 504) : c.json({ error: 'sql', code, message }, 422)
  }
  console.error(SERVER_NAME, error)
  return c.json({ error: 'internal' }, 500)
})
// #endregion errors

async function statement(c: Context): Promise<Record<string, unknown> & { sql: string; params: unknown[] }> {
  const { sql, params = [], ...rest } = await body(c)
  // The character NUL ends a string on the wire: what follows would be read as another message.
  if (typeof sql !== 'string' || !sql.trim() || sql.includes('\0')) throw new BadRequest()
  if (!Array.isArray(params)) throw new BadRequest()
  return { ...rest, sql, params }
}

async function body(c: Context): Promise<Record<string, unknown>> {
  const parsed: unknown = await c.req.json().catch(() => undefined)
  if (typeof parsed !== 'object' || parsed === null) throw new BadRequest()
  return parsed as Record<string, unknown>
}

const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })

async function leave(): Promise<void> {
  await rollBackAll()
  await Promise.all(nodes.map((node) => node.pool.end()))
  process.exit(0)
}

process.on('SIGTERM', () => {
  stopping = true
  server.close(() => void leave())
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})
