import { serve } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { PORT, SERVER_NAME, SHUTDOWN_MS, XFETCH_BETA } from './config.ts'
import { closeDatabase, databaseAnswers, DatabaseUnavailable, Overloaded } from './database.ts'
import { read, type Entry } from './entries.ts'
import { allLanded, fetchNow, obtain, refresh, serves, store } from './flights.ts'
import { connect, leaveAlone, redis, RedisAway, redisIsUsable } from './redis.ts'
import { refreshesNow } from './xfetch.ts'

class BadRequest extends Error {}

const app = new Hono()
let stopping = false
let ready = false

app.use(async (c, next) => {
  await next()
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
})

app.get('/health', async (c) => {
  ready ||= redisIsUsable() && (await databaseAnswers())
  return ready ? c.json({ status: 'ok' }) : c.json({ status: 'starting' }, 503)
})

// #region get
app.get('/data/:key', async (c) => {
  const arrived = Date.now()
  const key = c.req.param('key')
  const { consistency, maxAgeMs } = wishes(c)
  if (consistency === 'strong') {
    const entry = await fetchNow(key)
    void store(key, entry)
    return answer(c, entry, 'bypass')
  }
  const since = consistency === 'bounded' ? arrived - maxAgeMs : 0
  const cached = await look(key)
  // #region seed-bounded
  const { timestamp } = (cached?.row?.value ?? {}) as { timestamp?: number }
  const bounded = consistency !== 'bounded' || (timestamp !== undefined && timestamp > since)
  // #endregion seed-bounded
  if (!cached || !bounded || !serves(cached, since)) {
    const { entry, bypass } = await obtain(key, bounded ? since : arrived)
    return answer(c, entry, bypass ? 'bypass' : 'miss')
  }
  const how = state(cached)
  if (how !== 'hit') refresh(key, cached)
  return answer(c, cached, how)
})

function state(entry: Entry): 'hit' | 'early' | 'stale' {
  const now = Date.now()
  if (now >= entry.freshUntil) return 'stale'
  return refreshesNow(entry, now, XFETCH_BETA, 1 - Math.random()) ? 'early' : 'hit'
}
// #endregion get

const looks = new Map<string, Promise<Entry | undefined>>()

/** The entry in Redis, asked once for all who ask at this moment; undefined also when Redis is away. */
function look(key: string): Promise<Entry | undefined> {
  const under = looks.get(key)
  if (under) return under
  const asked = read(key)
    .catch((error: unknown) => {
      if (error instanceof RedisAway) return undefined
      throw error
    })
    .finally(() => looks.delete(key))
  looks.set(key, asked)
  return asked
}

function wishes(c: Context): { consistency: string; maxAgeMs: number } {
  const { consistency = 'eventual', maxAgeMs = '5000' } = c.req.query()
  if (!['strong', 'bounded', 'eventual'].includes(consistency) || !/^\d{1,15}$/.test(maxAgeMs))
    throw new BadRequest()
  return { consistency, maxAgeMs: Number(maxAgeMs) }
}

function answer(c: Context, { row, fetchedAt }: Entry, how: string): Response {
  c.header('X-Cache', how)
  if (!row) return c.json({ error: 'not_found' }, 404)
  return c.json({ key: c.req.param('key'), ...row, ageMs: Math.max(0, Date.now() - fetchedAt) })
}

app.notFound((c) => c.json({ error: 'not_found' }, 404))

app.onError((error, c) => {
  if (error instanceof BadRequest) return c.json({ error: 'bad_request' }, 400)
  if (error instanceof Overloaded) return c.json({ error: 'overloaded' }, 503, { 'retry-after': '1' })
  console.error(SERVER_NAME, error)
  if (error instanceof DatabaseUnavailable) return c.json({ error: 'database_unavailable' }, 503)
  return c.json({ error: 'internal' }, 500)
})

// Redis may come later; the service does not wait for it to go on trying.
connect().catch(leaveAlone)
const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })

/** Behind the last answer a refresh may still run: its lock is given back while there is a Redis to give it to. */
async function finish(): Promise<void> {
  await allLanded()
  redis.disconnect()
  await closeDatabase()
}

process.on('SIGTERM', () => {
  stopping = true
  server.close(() => void finish().finally(() => process.exit(0)))
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})
