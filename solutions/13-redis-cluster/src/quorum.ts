import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { PORT, SERVER_NAME, SHUTDOWN_MS } from './config.ts'
import { connected, get, leaveNodes, NoQuorum, of, put, tried } from './register.ts'
import type { Version } from './version.ts'

const app = new Hono()
let ready = false
let stopping = false

app.use(async (c, next) => {
  await next()
  c.header('x-served-by', SERVER_NAME)
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
})

app.notFound((c) => c.json({ error: 'not_found' }, 404))
app.onError((error, c) => {
  if (!(error instanceof NoQuorum)) {
    console.error(error.message)
    return c.json({ error: 'internal' }, 500)
  }
  const { acks, needed, outcome } = error
  return c.json({ error: 'no_quorum', acks, needed, ...(c.req.method === 'PUT' && { outcome }) }, 503)
})

const named = ({ n, w }: Version): string => `${n}.${w}`

app.get('/health', (c) =>
  ready ? c.json({ status: 'ok', nodes: connected(), of }) : c.json({ status: 'starting' }, 503),
)

app.put('/reg/:key', async (c) => {
  const key = c.req.param('key')
  const body = await c.req.json().catch(() => undefined)
  if (Object(body).value === undefined) return c.json({ error: 'bad_request' }, 400)
  const { acks, ...version } = await put(key, body.value)
  return c.json({ key, value: body.value, version: named(version), acks })
})

app.get('/reg/:key', async (c) => {
  const key = c.req.param('key')
  const found = await get(key)
  if (!found) return c.json({ error: 'not_found' }, 404)
  return c.json({ key, value: found.value, version: named(found) })
})

const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })
await tried
ready = true

process.on('SIGTERM', () => {
  stopping = true
  server.close(() => {
    leaveNodes()
    process.exit(0)
  })
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})
