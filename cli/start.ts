import { createServer } from 'node:net'
import { parseArgs } from 'node:util'
import { serve } from '@hono/node-server'
import open from 'open'
import { openHint, surrender } from '#grader/progress'
import { ROOT, WORKSPACE } from '#harness/paths'
import { say, type Language } from '#harness/text'
import { buildSite } from '../site/build.ts'
import { createSite } from '../site/server/app.ts'
import { language } from './language.ts'
import { beforeEnd } from './life.ts'
import { UsageError } from './usage.ts'

const HOST = '127.0.0.1'
const FIRST_PORT = 3000
const PORTS = 50

const BUILDING = say('Looking whether the pages have changed…', 'ページに変更があるか調べています…')
const UNCHANGED = say('nothing has changed', '変更はありません')
const BUILT = (seconds: string) => say(`built in ${seconds} s`, `${seconds}秒で作りました`)
const READY = (url: string) =>
  say(`The workbook is at ${url} (Ctrl-C ends it)`, `ワークブックはこちらです: ${url} (Ctrl-Cで終了)`)

/** `npm start`: builds the site if something changed, serves it with its API on one port, opens the browser. */
export async function start(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string' },
      open: { type: 'boolean', default: true },
      build: { type: 'boolean', default: true },
      lang: { type: 'string' },
    },
    allowNegative: true,
  })
  const lang = language(values.lang)
  if (values.build) await build(lang)
  const port = values.port === undefined ? await freePort() : portOf(values.port)
  const site = createSite({
    root: ROOT,
    workspace: WORKSPACE,
    build: `${ROOT}/build`,
    port: () => port,
    writer: { openHints: openHint, surrender },
  })
  const server = serve({ fetch: site.fetch, hostname: HOST, port }, () => {
    const url = `http://localhost:${port}${lang === 'ja' ? '/ja/' : '/'}`
    console.log(READY(url)[lang])
    // Nothing depends on the browser; a system without one is fine.
    if (values.open && wantsBrowser()) void open(url).catch(() => undefined)
  })
  server.once('error', (error) => {
    throw error
  })
  beforeEnd(async () => {
    server.close()
    // Streams of open pages would keep the process alive.
    if ('closeAllConnections' in server) server.closeAllConnections()
    await site.stop()
  })
}

async function build(lang: Language): Promise<void> {
  console.log(BUILDING[lang])
  const { built, ms } = await buildSite(ROOT, { progress: (name) => console.log(`  ${name}`) })
  console.log(`  ${(built ? BUILT((ms / 1000).toFixed(1)) : UNCHANGED)[lang]}`)
}

function portOf(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port
  throw new UsageError({
    what: say(`"${text}" is no port.`, `「${text}」はポート番号ではありません。`),
    why: say('A port is a number from 1 to 65535.', 'ポート番号は1から65535までの整数です。'),
    remedy: say('Leave --port out, or give a number.', '--portを省くか、番号を指定してください。'),
  })
}

/** Port 3000, or the next one that nobody has. */
async function freePort(): Promise<number> {
  for (let port = FIRST_PORT; port < FIRST_PORT + PORTS; port++) if (await isFree(port)) return port
  throw new UsageError({
    what: say('There is no free port.', '空いているポートがありません。'),
    why: say(
      `${FIRST_PORT} to ${FIRST_PORT + PORTS - 1} are all taken.`,
      `${FIRST_PORT}から${FIRST_PORT + PORTS - 1}まで、すべて使われています。`,
    ),
    remedy: say('Give one: npm start -- --port 8080', '指定してください: npm start -- --port 8080'),
  })
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
