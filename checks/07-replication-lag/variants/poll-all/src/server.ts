import { serve } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { PORT, SERVER_NAME, SHUTDOWN_MS } from './config.ts'
import { formatLsn, parseLsn, type Lsn } from './lsn.ts'
import { endPools, isLost } from './nodes.ts'
import { readOrder } from './reads.ts'
import { lag, metrics, waitForReplicas } from './replication.ts'
import { keepSampling } from './samples.ts'
import { LEVELS, write } from './writes.ts'

const TOKEN = 'X-Consistency-Token'
const RETURNING = 'RETURNING id, user_id AS "userId", status'

class Refused extends Error {}

const app = new Hono()
let ready = false
let stopping = false

app.use(async (c, next) => {
  await next()
  c.header('X-Served-By', SERVER_NAME)
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
})

app.get('/health', (c) => (ready ? c.json({ status: 'ok' }) : c.json({ status: 'starting' }, 503)))

// #region orders
app.post('/orders', async (c) => {
  const { id, userId, status, durability } = await body(c)
  if (!isText(id) || !isText(status) || !isUserId(userId)) throw new Refused('bad_request')
  if (durability !== undefined && !LEVELS.includes(durability as string))
    throw new Refused('invalid_durability')
  const sql = `INSERT INTO orders (id, user_id, status) VALUES ($1, $2, $3) ON CONFLICT (id) DO NOTHING ${RETURNING}`
  const { rows, replicated, at } = await write(sql, [id, userId, status], durability as string | undefined)
  give(c, 'primary', at)
  if (rows.length === 0) return c.json({ error: 'exists' }, 409)
  return replicated ? c.json(rows[0], 201) : c.json({ ...rows[0], replicated }, 202)
})

app.put('/orders/:id', async (c) => {
  const { status } = await body(c)
  const id = c.req.param('id')
  if (!isText(id) || !isText(status)) throw new Refused('bad_request')
  const { rows, replicated, at } = await write(`UPDATE orders SET status = $2 WHERE id = $1 ${RETURNING}`, [
    id,
    status,
  ])
  give(c, 'primary', at)
  if (rows.length === 0) return c.json({ error: 'not_found' }, 404)
  return replicated ? c.json(rows[0]) : c.json({ ...rows[0], replicated }, 202)
})

app.get('/orders/:id', async (c) => {
  const id = c.req.param('id')
  if (!isText(id)) throw new Refused('bad_request')
  const { order, at, node } = await readOrder(id, { need: tokenIn(c), maxLagMs: boundIn(c) })
  give(c, node, at)
  return order ? c.json(order) : c.json({ error: 'not_found' }, 404)
})
// #endregion orders

// #region token
/** In the header, and in a cookie for browsers; the timeline stands before the position. */
function give(c: Context, node: string, at: Lsn): void {
  c.header('X-Node', node)
  const token = `1@${formatLsn(at)}`
  c.header(TOKEN, token)
  c.header('set-cookie', `consistency=${encodeURIComponent(token)}; Path=/; HttpOnly; SameSite=Lax`)
}

/** 0 where there is none: every position covers it. */
function tokenIn(c: Context): Lsn {
  return position(c.req.header(TOKEN)) ?? 0n
}

function position(text: string | undefined): Lsn | undefined {
  if (!text) return undefined
  const [timeline, at, more] = text.split('@')
  const lsn = timeline === '1' && more === undefined ? parseLsn(at ?? '') : undefined
  if (lsn === undefined) throw new Refused('invalid_token')
  return lsn
}
// #endregion token

function boundIn(c: Context): number {
  return milliseconds(c.req.header('X-Max-Lag-Ms')) ?? Infinity
}

// #region replication
app.get('/replication', async (c) => c.json(await lag()))

app.get('/replication/wait', async (c) => {
  const need = position(c.req.query('token'))
  const timeoutMs = milliseconds(c.req.query('timeoutMs')) ?? 5000
  const answer = await waitForReplicas(need, timeoutMs)
  return c.json(answer, answer.reached ? 200 : 504)
})

app.get('/metrics', async (c) => c.text(await metrics()))
// #endregion replication

app.notFound((c) => c.json({ error: 'not_found' }, 404))

app.onError((error, c) => {
  if (error instanceof Refused) return c.json({ error: error.message }, 400)
  const lost = isLost(error)
  console.error(SERVER_NAME, lost ? error.message : error)
  if (lost) return c.json({ error: 'database_unavailable' }, 503)
  return c.json({ error: 'internal' }, 500)
})

async function body(c: Context): Promise<Record<string, unknown>> {
  const parsed: unknown = await c.req.json().catch(() => undefined)
  if (typeof parsed !== 'object' || parsed === null) throw new Refused('bad_request')
  return parsed as Record<string, unknown>
}

/** Postgres has no text with the character NUL in it. */
function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\0')
}

function isUserId(value: unknown): value is number {
  return Number.isInteger(value) && Math.abs(value as number) < 2 ** 31
}

function milliseconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text)) throw new Refused('bad_request')
  return Number(text)
}

const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })
process.on('SIGTERM', () => {
  stopping = true
  server.close(() => void endPools().then(() => process.exit(0)))
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})

await keepSampling()
ready = true
