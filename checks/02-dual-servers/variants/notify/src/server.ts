import { randomUUID } from 'node:crypto'
import { serve } from '@hono/node-server'
import { Hono, type Context } from 'hono'
import { createMiddleware } from 'hono/factory'
import { timingSafeEqual } from 'hono/utils/buffer'
import {
  PARTITION,
  PEER_NAME,
  PEER_TOKEN,
  PEER_URL,
  PORT,
  SERVER_NAME,
  SHUTDOWN_MS,
  SYNC_RETRY_MS,
} from './config.ts'
import { databaseAnswers, inTime, isBadData, isOutOfReach, pool } from './database.ts'
import { countRequest, newTraffic, total, type ServerMetrics } from './metrics.ts'
import { inPartition, isValidUserId } from './partition.ts'
import { askPeer, peerState, PeerUnavailable, watchPeer } from './peer.ts'
import { changeSetting, deliver, listen, pendingSyncs, readSettings, receive } from './settings.ts'

interface Profile {
  userId: string
  displayName: string
  server: string
  partition: string
}

interface Env {
  Variables: { requestId: string; userId: string; peerMs?: number }
}

const DISPLAY_NAME = /^[^\0\p{Surrogate}]{1,100}$/u
const SETTING = /^[a-z][a-z0-9_]{0,63}$/
const CLIENT_ROUTE = /^\/api\/(profile$|user\/|global-settings$)/

const app = new Hono<Env>()
const traffic = newTraffic()
let stopping = false

// #region request-log
app.use(async (c, next) => {
  const requestId = c.req.header('x-request-id') || randomUUID()
  c.set('requestId', requestId)
  c.header('x-request-id', requestId)
  const start = performance.now()
  await next()
  const ms = performance.now() - start
  const { method, path } = c.req
  const { status } = c.res
  if (CLIENT_ROUTE.test(path)) countRequest(traffic, status, ms)
  if (path !== '/health') log('request', { requestId, method, path, status, ms, peerMs: c.get('peerMs') })
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
})
// #endregion request-log

app.notFound((c) => c.json({ error: 'not_found' }, 404))

app.onError((error, c) => {
  log('error', { requestId: c.get('requestId'), error: reason(error) })
  if (error instanceof PeerUnavailable) return c.json({ error: 'peer_unavailable' }, 502)
  // Names and ids are checked before, so what Postgres can't store was the value of a setting.
  if (isBadData(error)) return c.json({ error: 'invalid_setting' }, 400)
  if (isOutOfReach(error)) return c.json({ error: 'database_unavailable' }, 503)
  return c.json({ error: 'internal' }, 500)
})

// #region guard
/** Lets a request pass if its caller belongs here, and tells everybody else where to go. */
const ownUsers = createMiddleware<Env>(async (c, next) => {
  const userId = c.req.header('x-user-id')
  if (!userId) return c.json({ error: 'missing_user_id' }, 400)
  if (!isValidUserId(userId)) return c.json({ error: 'invalid_user_id' }, 400)
  if (!inPartition(PARTITION, userId)) {
    return c.json({ error: 'misdirected_request', correctServer: PEER_NAME, correctUrl: PEER_URL }, 421)
  }
  c.set('userId', userId)
  return next()
})

app.use('/api/profile', ownUsers)
app.use('/api/user/:id/profile', ownUsers)
// #endregion guard

// #region own-profile
app.get('/api/profile', async (c) => {
  const profile = await findProfile(c.get('userId'))
  return profile ? c.json(profile) : c.json({ error: 'not_found' }, 404)
})

app.put('/api/profile', async (c) => {
  const { displayName } = await readBody(c)
  if (typeof displayName !== 'string' || !DISPLAY_NAME.test(displayName)) {
    return c.json({ error: 'invalid_profile' }, 400)
  }
  const userId = c.get('userId')
  await pool.query(
    `insert into users (user_id, display_name) values ($1, $2)
     on conflict (user_id) do update set display_name = excluded.display_name`,
    [userId, displayName],
  )
  return c.json(profileOf(userId, displayName))
})

/** Only reads: a GET that creates what it does not find turns every typing error into a user. */
async function findProfile(userId: string): Promise<Profile | undefined> {
  const { rows } = await pool.query(inTime('select display_name from users where user_id = $1', [userId]))
  return rows[0] && profileOf(userId, rows[0].display_name)
}

function profileOf(userId: string, displayName: string): Profile {
  return { userId, displayName, server: SERVER_NAME, partition: PARTITION }
}
// #endregion own-profile

// #region cross-read
app.get('/api/user/:id/profile', async (c) => {
  const id = c.req.param('id')
  if (!isValidUserId(id)) return c.json({ error: 'invalid_user_id' }, 400)
  const profile = inPartition(PARTITION, id) ? await findProfile(id) : await findPeersProfile(c, id)
  if (!profile) return c.json({ error: 'not_found' }, 404)
  return c.json({ ...profile, fetchedFrom: profile.server, requestedBy: c.get('userId') })
})

async function findPeersProfile(c: Context<Env>, id: string): Promise<Profile | undefined> {
  const start = performance.now()
  try {
    return await askPeer<Profile>(`/internal/profile/${encodeURIComponent(id)}`, c.get('requestId'))
  } finally {
    c.set('peerMs', performance.now() - start)
  }
}

const fromPeer = createMiddleware(async (c, next) => {
  const token = c.req.header('x-peer-token') ?? ''
  if (!(await timingSafeEqual(token, PEER_TOKEN))) return c.json({ error: 'forbidden' }, 403)
  return next()
})

/** For the peer alone. It answers from its own database or not at all, so a question never comes back. */
app.get('/internal/profile/:id', fromPeer, async (c) => {
  const id = c.req.param('id')
  // Not 421: fetch sends a request once more that was answered so, as the Fetch standard has it.
  if (!inPartition(PARTITION, id)) return c.json({ error: 'partitions_differ' }, 409)
  const profile = await findProfile(id)
  return profile ? c.json(profile) : c.json({ error: 'not_found' }, 404)
})
// #endregion cross-read

// #region health
app.get('/health', async (c) => {
  const connected = await databaseAnswers()
  const about = { server: SERVER_NAME, peer: peerState(), uptime: process.uptime() }
  if (!connected) return c.json({ status: 'unhealthy', database: 'unreachable', ...about }, 503)
  return c.json({ status: 'ok', database: 'connected', ...about })
})
// #endregion health

// #region settings
app.get('/api/global-settings', async (c) => c.json({ settings: await readSettings() }))

app.put('/api/global-settings', async (c) => {
  const { setting, value } = await readBody(c)
  if (typeof setting !== 'string' || !SETTING.test(setting) || value === undefined) {
    return c.json({ error: 'invalid_setting' }, 400)
  }
  await changeSetting(setting, value)
  return c.json({ success: true, server: SERVER_NAME })
})

app.post('/api/sync/global-settings', fromPeer, async (c) => {
  await receive(await c.req.json())
  return c.body(null, 204)
})

async function sync(): Promise<void> {
  await deliver().catch((error: Error) => log('sync failed', { to: PEER_NAME, error: reason(error) }))
}
// #endregion settings

// #region metrics
app.get('/api/metrics', async (c) => c.json(await ownMetrics()))

app.get('/api/metrics/total', async (c) => {
  const theirs = await askPeer<ServerMetrics>('/api/metrics', c.get('requestId')).catch(() => undefined)
  const own = await ownMetrics()
  return c.json(theirs ? total([own, theirs], []) : total([own], [PEER_NAME]))
})

async function ownMetrics(): Promise<ServerMetrics> {
  const { rows } = await pool.query(
    inTime(
      'select (select count(*) from users) as users, (select count(*) from global_settings) as settings',
    ),
  )
  const totals = { ...rows[0], pendingSyncs: await pendingSyncs() }
  // All at once, with no wait in between: a request that ends meanwhile would be in one number and not in the next.
  return {
    server: SERVER_NAME,
    partition: PARTITION,
    ...traffic,
    totals,
    connections: { total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount },
  }
}
// #endregion metrics

/** The body as an object; one without fields if it is none, or no JSON at all. */
async function readBody(c: Context): Promise<Record<string, unknown>> {
  return Object(await c.req.json().catch(() => null))
}

/** What happened at the bottom of it: `fetch failed` alone helps nobody. */
function reason(error: Error): string {
  return error.cause instanceof Error ? reason(error.cause) : error.message
}

function log(message: string, fields: object): void {
  console.log(JSON.stringify({ at: new Date().toISOString(), server: SERVER_NAME, message, ...fields }))
}

const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })
void watchPeer()
void listen(() => void sync())
setInterval(() => void sync(), SYNC_RETRY_MS)

process.on('SIGTERM', () => {
  stopping = true
  server.close(() => void pool.end().then(() => process.exit(0)))
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})
