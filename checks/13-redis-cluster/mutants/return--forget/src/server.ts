import { setTimeout as pause } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { leaveCluster, lookUp, store, tryCluster } from './cache.ts'
import { PORT, SERVER_NAME, SHUTDOWN_MS } from './config.ts'
import { isOutOfReach } from './errors.ts'
import { changeProduct, pool, readProducts, type Change, type Product } from './products.ts'

/** An answer waits so long for its own fill, which is no business of the client's. */
const FILL_MS = 100
const MOST_IDS = 100

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
/** Products by id: from the cache what it has, the rest from Postgres, whatever the cache's reason was. */
async function load(ids: readonly string[]): Promise<{ products: Map<string, Product>; from: string }> {
  const unique = [...new Set(ids)]
  const found = await lookUp(unique)
  const products = new Map<string, Product>()
  for (const [id, lookup] of found) if (lookup.state === 'hit') products.set(id, lookup.product)
  const missing = unique.filter((id) => !products.has(id))
  if (missing.length > 0) {
    const readAt = performance.now()
    const rows = await readProducts(missing)
    for (const [id, row] of rows) products.set(id, row)
    const missed = [...rows.values()].filter(({ id }) => found.get(id)?.state === 'miss')
    const filled = Promise.allSettled(missed.map((row) => store(row, readAt)))
    await Promise.race([filled, pause(FILL_MS)])
  }
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

app.get('/products', async (c) => {
  const ids = idsOf(new URL(c.req.url).search)
  if (!ids || ids.length > MOST_IDS) return c.json({ error: 'bad_request' }, 400)
  const { products } = await load(ids)
  return c.json({
    products: ids.map((id) => {
      const product = products.get(id)
      return product ? shown(product) : null
    }),
  })
})

/** Split before decoding: a comma inside an id is encoded. */
function idsOf(search: string): string[] | undefined {
  const raw = /[?&]ids=([^&]*)/.exec(search)?.[1]
  try {
    return raw === undefined ? undefined : raw === '' ? [] : raw.split(',').map(decodeURIComponent)
  } catch {
    return undefined // not percent-encoding
  }
}

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
