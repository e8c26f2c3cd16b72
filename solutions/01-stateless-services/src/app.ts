import { pbkdf2Sync } from 'node:crypto'
import { Hono } from 'hono'
import { SERVER_NAME } from './config.ts'
import { files } from './files.ts'
import { isText } from './input.ts'
import { messages } from './messages.ts'
import { orders } from './orders.ts'
import { sessions } from './sessions.ts'
import { StoreUnavailable } from './stores.ts'
import { views } from './views.ts'

export const app = new Hono()

let stopping = false

/** From now on every answer asks its client to hang up. */
export function stopKeepingAlive(): void {
  stopping = true
}

app.use(async (c, next) => {
  await next()
  c.header('x-served-by', SERVER_NAME)
  c.header('x-process', String(process.pid))
  // #region hang-up
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
  // #endregion hang-up
})

app.notFound((c) => c.json({ error: 'not_found' }, 404))

// #region errors
app.onError((error, c) => {
  console.log(JSON.stringify({ server: SERVER_NAME, path: c.req.path, error: error.message }))
  if (error instanceof StoreUnavailable) {
    return c.json({ error: `${error.store}_unavailable` }, 503, { 'retry-after': '1' })
  }
  return c.json({ error: 'internal' }, 500)
})
// #endregion errors

app.get('/health', (c) => c.json({ status: 'ok', server: SERVER_NAME, pid: process.pid }))

// Names of channels, pages and files: no store takes any other, nor the character NUL.
app.use('/api/:kind/:name/*', async (c, next) => {
  if (!isText(c.req.param('name'), 100)) return c.json({ error: 'invalid_name' }, 400)
  return next()
})

app.route('/', messages)
app.route('/', sessions)
app.route('/', views)
app.route('/', files)
app.route('/', orders)

/** Work for the processor and nothing else: the bench measures with it what more cores give. */
app.get('/api/render', (c) => {
  const page = pbkdf2Sync('page', SERVER_NAME, 15_000, 32, 'sha256').toString('hex')
  return c.json({ page })
})
