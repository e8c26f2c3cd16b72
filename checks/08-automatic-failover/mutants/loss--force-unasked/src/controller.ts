import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { CHECK_INTERVAL_MS, FAIL_THRESHOLD, LEASE_TTL_MS, QUORUM } from './config.ts'
import { decide } from './decide.ts'
import { PORT, SERVER_NAME, SHUTDOWN_MS } from './env.ts'
import { Blocked, failover } from './failover.ts'
import { nodeOf, nodes, probe } from './nodes.ts'
import { adopt, reconcile } from './reconcile.ts'
import {
  chosenPrimary,
  forceAfter,
  isLeader,
  publish,
  readTopology,
  readViews,
  renewLease,
  tellView,
  type Topology,
} from './shared.ts'
import { tellSighting } from './sightings.ts'

type State = 'ok' | 'suspect' | 'failing_over' | 'blocked'

let topology: Topology | null = null
let checks = 0
let state: State = 'ok'
let reason: Blocked['reason'] | null = null
let declaredDown: { node: string; observers: string[] } | null = null
let stopping = false

// #region loops
/** The next round begins when the last one has ended: rounds never overlap, however long one takes. */
async function repeat(every: number, round: () => Promise<void>): Promise<void> {
  let lastError = ''
  while (!stopping) {
    const begun = performance.now()
    await round().catch((error: Error) => {
      if (error.message !== lastError) console.error(SERVER_NAME, error.message)
      lastError = error.message
    })
    await sleep(Math.max(1, every - (performance.now() - begun)))
  }
}

/** Looks at every node; it needs neither Redis nor a leader. */
async function check(): Promise<void> {
  await Promise.all(nodes.map(probe))
  checks++
}
// #endregion loops

// #region act
async function act(): Promise<void> {
  const known = await readTopology()
  if (known && known.epoch >= (topology?.epoch ?? 0)) topology = known
  // Redis has forgotten it. What follows from it is for the next round.
  else if (topology && isLeader()) return publish({ ...topology, epoch: topology.epoch + 1 })
  if (!topology) return isLeader() ? adopt() : undefined

  const primary = nodeOf(topology.primary.name)
  const { failures } = primary.seen
  await tellView(primary.name, failures)
  await tellSighting(primary)
  if (failures === 0) settle('ok')
  else if (state === 'ok') settle('suspect')
  if (!isLeader()) return settle(failures > 0 ? 'suspect' : 'ok')

  // A choice that was recorded is carried out, also when its maker is dead.
  const begun = (await chosenPrimary(topology.epoch)) !== null
  if (begun || (failures >= FAIL_THRESHOLD && (await agreed(primary.name)))) await changePrimary(topology)
  else if (failures === 0) await reconcile(topology)
}

async function agreed(node: string): Promise<boolean> {
  const rule = { threshold: FAIL_THRESHOLD, quorum: QUORUM }
  const { state: judged, observers } = decide(await readViews(), node, rule)
  if (judged !== 'down') return false
  declaredDown = { node, observers }
  return true
}

async function changePrimary(from: Topology): Promise<void> {
  if (state !== 'blocked') settle('failing_over')
  try {
    await failover(from)
    settle('ok')
  } catch (error) {
    if (!(error instanceof Blocked)) throw error
    if (reason !== error.reason) console.error(SERVER_NAME, 'blocked:', error.message)
    settle('blocked', error.reason)
  }
}

function settle(next: State, why: typeof reason = null): void {
  state = next
  reason = why
}
// #endregion act

const app = new Hono()

app.use(async (c, next) => {
  await next()
  c.header('X-Served-By', SERVER_NAME)
  // A connection that was kept alive would keep this process alive for seconds.
  if (stopping) c.header('connection', 'close')
})

app.get('/health', (c) => c.json({ status: 'ok' }))

app.get('/status', (c) =>
  c.json({
    server: SERVER_NAME,
    leader: isLeader(),
    epoch: topology?.epoch ?? 0,
    checks,
    state,
    reason,
    declaredDown,
    nodes: nodes.map(({ name, seen: { up, failures, role, lsn, timeline } }) => ({
      name,
      up,
      failures,
      role,
      lsn,
      timeline,
    })),
  }),
)

// #region force
app.post('/failover', async (c) => {
  if (!isLeader()) return c.json({ error: 'not_leader' }, 409)
  if (!topology || nodeOf(topology.primary.name).seen.failures === 0)
    return c.json({ error: 'primary_healthy' }, 409)
  if (state !== 'blocked') return c.json({ error: 'not_blocked' }, 409)
  await forceAfter(topology.epoch)
  return c.json({ accepted: true }, 202)
})
// #endregion force

app.notFound((c) => c.json({ error: 'not_found' }, 404))
app.onError((error, c) => {
  console.error(SERVER_NAME, error.message)
  return c.json({ error: 'redis_unavailable' }, 503)
})

const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })
const loops = [
  repeat(CHECK_INTERVAL_MS, check),
  repeat(LEASE_TTL_MS / 5, renewLease),
  repeat(CHECK_INTERVAL_MS, act),
]

process.on('SIGTERM', () => {
  stopping = true
  server.close(() => void Promise.all(loops).then(() => process.exit(0)))
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})
