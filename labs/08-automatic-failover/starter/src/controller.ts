import { setTimeout as sleep } from 'node:timers/promises'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { CHECK_INTERVAL_MS } from './config.ts'
import { PORT, SERVER_NAME, SHUTDOWN_MS } from './env.ts'
import { nodes, probe } from './nodes.ts'

let checks = 0
let stopping = false

// #region loop
/** The next round begins when the last one has ended: rounds never overlap, however long one takes. */
async function check(): Promise<void> {
  while (!stopping) {
    await Promise.all(nodes.map(probe))
    checks++
    await sleep(CHECK_INTERVAL_MS)
  }
}
// #endregion loop

// #region lead
// TODO(watch): three controllers run. One of them leads, by a lease in Redis, and publishes `pg:topology`: as a key, and
// as a message on the channel of the same name. An epoch never falls.
// TODO(detect): the primary is down when QUORUM observers have each missed FAIL_THRESHOLD checks in a row.
// TODO(promote): fence it (POST POWER_URL/nodes/:name/fence), and only then choose and promote.
// TODO(follow): the other replica follows the new primary; the topology says who is up and follows.
// TODO(return): an old primary that comes back writable is fenced, reseeded (POST POWER_URL/nodes/:name/reseed with
// {"from":"pg2"}), and then a replica.
// TODO(loss): too few candidates, or too much to lose: blocked, until somebody says POST /failover {"force":true}.
// #endregion lead

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
    leader: false,
    epoch: 0,
    checks,
    state: 'ok',
    reason: null,
    declaredDown: null,
    nodes: nodes.map(({ name, seen }) => ({ name, ...seen })),
  }),
)

app.notFound((c) => c.json({ error: 'not_implemented' }, 501))

const server = serve({ fetch: app.fetch, port: PORT, hostname: '127.0.0.1' })
const checking = check()

process.on('SIGTERM', () => {
  stopping = true
  server.close(() => void checking.then(() => process.exit(0)))
  setTimeout(() => process.exit(1), SHUTDOWN_MS).unref()
})
