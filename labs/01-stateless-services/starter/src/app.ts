import { pbkdf2Sync } from 'node:crypto'
import { Hono } from 'hono'
import { SERVER_NAME } from './config.ts'
import { files } from './files.ts'
import { isText } from './input.ts'
import { messages } from './messages.ts'
import { orders } from './orders.ts'
import { sessions } from './sessions.ts'
import { views } from './views.ts'

export const app = new Hono()

app.use(async (c, next) => {
  await next()
  c.header('x-served-by', SERVER_NAME)
  c.header('x-process', String(process.pid))
})

app.notFound((c) => c.json({ error: 'not_found' }, 404))

// #region errors
app.onError((error, c) => {
  console.log(JSON.stringify({ server: SERVER_NAME, path: c.req.path, error: error.message }))
  // TODO(sessions): a store that can't be asked is a 503 with Retry-After, and nobody's logout.
  // TODO(scale-up): so is a request that gets no connection in time.
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
