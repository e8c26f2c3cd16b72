import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { leaveCluster, lookUp, tryCluster } from './cache.ts'
import { PORT, SERVER_NAME, SHUTDOWN_MS } from './config.ts'
import { isOutOfReach } from './errors.ts'
import { changeProduct, pool, readProducts, type Change, type Product } from './products.ts'

const app = new Hono()
let tried = false
let stopping = false

app.use(async (c, next) => {
  await next()
  c.header('x-served-by', SERVER_NAME)
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
})

app.notFound((c) => c.json({ error: 'not_found' }, 404))
app.onError((error, c) => {
  if (isOutOfReach(error)) {
    console.error(error.message)
    return c.json({ error: 'database_unavailable' }, 503)
  }
  console.error(error)
  return c.json({ error: 'internal' }, 500)
})

app.get('/health', async (c) => {
  const answers = await pool.query('SELECT 1').then(
    () => true,
    () => false,
  )
  return answers && tried ? c.json({ status: 'ok' }) : c.json({ status: 'starting' }, 503)
})

// #region read
/** Products by id: from the cache what it has, the rest from Postgres. */
async function load(ids: readonly string[]): Promise<{ products: Map<string, Product>; from: string }> {
  const found = await lookUp(ids)
  // TODO(slots): take from the cache what it has, read the rest, and store that.
  // TODO(node-down): which failure of the cache is a failure of this request?
  const products = await readProducts(ids)
  return { products, from: found.get(ids[0] ?? '')?.state ?? 'miss' }
}
// #endregion read

const shown = ({ id, name, price, stock }: Product): object => ({ id, name, price, stock })

app.get('/products/:id', async (c) => {
  const id = c.req.param('id')
  const { products, from } = await load([id])
  const product = products.get(id)
  c.header('x-cache', from)
  return product ? c.json(shown(product)) : c.json({ error: 'not_found' }, 404)
})

// TODO(hash-tags): up to 100 products in one request, `?ids=a,b,c`, each id percent-encoded.
app.get('/products', (c) => c.json({ error: 'not_implemented' }, 501))

app.patch('/products/:id', async (c) => {
  const change = changeOf(await c.req.json().catch(() => null))
  if (!change) return c.json({ error: 'bad_request' }, 400)
  const product = await changeProduct(c.req.param('id'), change)
  return product ? c.json(shown(product)) : c.json({ error: 'not_found' }, 404)
})

function changeOf(body: unknown): Change | undefined {
  const { price, stock } = Object(body)
  const given = [price, stock].filter((value) => value !== undefined)
  const valid = given.every((value) => Number.isInteger(value) && Math.abs(value) < 2 ** 31)
  return given.length > 0 && valid ? { price, stock } : undefined
}

const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })
await tryCluster()
tried = true

async function end(): Promise<void> {
  await pool.end()
  leaveCluster()
  process.exit(0)
}

process.on('SIGTERM', () => {
  stopping = true
  server.close(() => void end())
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})
