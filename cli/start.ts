import { createServer } from 'node:net'
import { parseArgs } from 'node:util'
import { serve } from '@hono/node-server'
import open from 'open'
import { buildSite } from '../site/build.ts'
import { createSite } from '../site/server/app.ts'
import { progressWriter } from '../site/server/progress.ts'

const FIRST_PORT = 3000
const PORTS = 30
const HOST = '127.0.0.1'

/** `npm start`: builds the site if something changed, serves it with its API on one port, opens the browser. */
export async function start(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: { port: { type: 'string' }, open: { type: 'boolean', default: true }, build: { type: 'boolean', default: true } },
    allowNegative: true,
  })
  const root = process.cwd()
  if (values.build) await build(root)
  const wanted = values.port === undefined ? await freePort() : Number(values.port)
  let port = wanted
  const site = createSite({ root, build: `${root}/build`, port: () => port, writer: progressWriter(root) })
  const server = serve({ fetch: site.fetch, hostname: HOST, port: wanted }, (info) => {
    port = info.port
    const url = `http://localhost:${port}`
    console.log(`The workbook is at ${url} (Ctrl-C ends it)`)
    if (values.open && wantsBrowser()) void open(url).catch(() => undefined)
  })
  const end = () => {
    server.close()
    // Streams of open pages would keep the process alive.
    if ('closeAllConnections' in server) server.closeAllConnections()
    void site.stop().then(() => process.exit(0))
  }
  process.once('SIGINT', end)
  process.once('SIGTERM', end)
}

async function build(root: string): Promise<void> {
  process.stdout.write('Building the pages if something changed…\n')
  const { built, ms } = await buildSite(root)
  console.log(built ? `  built in ${(ms / 1000).toFixed(1)} s` : '  nothing changed')
}

/** Port 3000, or the next one that nobody has. */
async function freePort(): Promise<number> {
  for (let port = FIRST_PORT; port < FIRST_PORT + PORTS; port++) if (await isFree(port)) return port
  throw new Error(`no free port between ${FIRST_PORT} and ${FIRST_PORT + PORTS - 1}: give one with --port`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, HOST, () => probe.close(() => resolve(true)))
  })
}

/** Nobody sees a browser on a build server or over ssh. */
function wantsBrowser(): boolean {
  if (process.env.CI || !process.stdout.isTTY || process.env.SSH_CONNECTION) return false
  return process.platform !== 'linux' || Boolean(process.env.DISPLAY ?? process.env.WAYLAND_DISPLAY)
}
