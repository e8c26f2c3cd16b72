import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { PORT, SERVER_NAME, SHUTDOWN_MS } from './env.ts'
import { followTopology, leave, primary, readKey, WRITE_TIMEOUT_MS } from './primary.ts'

type Row = Record<string, unknown>

class Unavailable extends Error {}

const app = new Hono()
let stopping = false

app.use(async (c, next) => {
  await next()
  c.header('X-Served-By', SERVER_NAME)
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
})

app.get('/health', (c) => c.json({ status: 'ok' }))

app.get('/status', (c) => c.json({ epoch: primary()?.epoch ?? 0, primary: primary()?.name ?? null }))

// #region query
/** Rows from the primary, or nothing is known: a COMMIT that broke off may have happened. */
async function query(sql: string, params: unknown[]): Promise<Row[]> {
  const now = primary()
  if (!now) throw new Unavailable('no primary is known')
  const late = new AbortController()
  try {
    // A new connection and a statement have a limit each; the request has one for both.
    return await Promise.race([
      now.pool.query<Row>(sql, params).then(({ rows }) => rows),
      sleep(WRITE_TIMEOUT_MS, undefined, { signal: late.signal }).then(() => {
        throw new Unavailable('no answer in time')
      }),
    ])
  } catch (error) {
    void readKey() // perhaps somebody else is the primary by now
    throw new Unavailable((error as Error).message, { cause: error })
  } finally {
    late.abort()
  }
}
// #endregion query

// #region order
/**
 * The repeated request writes, too: its commit then waits until a replica has it, and everything before it. A read would
 * answer for a row that nobody else has yet.
 */
const INSERT = `INSERT INTO orders (id, item) VALUES ($1, $2)
  ON CONFLICT (id) DO UPDATE SET item = orders.item WHERE orders.item = excluded.item
  RETURNING xmax = 0 AS created`

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

app.post('/orders', async (c) => {
  const { id, item } = await body(c)
  if (typeof id !== 'string' || !UUID.test(id)) return c.json({ error: 'bad_request' }, 400)
  if (typeof item !== 'string' || item.includes('\0')) return c.json({ error: 'bad_request' }, 400)
  const [row] = await query(INSERT, [id, item])
  if (!row) return c.json({ error: 'conflict' }, 409)
  return c.json({ id }, row.created ? 201 : 200)
})
// #endregion order

app.get('/orders/:id', async (c) => {
  const id = c.req.param('id')
  if (!UUID.test(id)) return c.json({ error: 'not_found' }, 404)
  const [row] = await query('SELECT id, item FROM orders WHERE id = $1', [id])
  return row ? c.json(row) : c.json({ error: 'not_found' }, 404)
})

app.notFound((c) => c.json({ error: 'not_found' }, 404))

app.onError((error, c) => {
  if (error instanceof Unavailable)
    return c.json({ error: 'database_unavailable' }, 503, { 'Retry-After': '1' })
  console.error(SERVER_NAME, error)
  return c.json({ error: 'internal' }, 500)
})

async function body(c: Context): Promise<Record<string, unknown>> {
  const parsed: unknown = await c.req.json().catch(() => undefined)
  return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : {}
}

const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })
void followTopology()

process.on('SIGTERM', () => {
  stopping = true
  server.close(() => void leave().then(() => process.exit(0)))
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})
