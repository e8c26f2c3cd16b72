// A small service for tests of the harness: says where and who it is, and misbehaves on demand.
import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const { PORT, SERVER_NAME } = process.env

/** A process that stays, in a session and environment of its own where asked. */
function leave(kind: string): number {
  const own = kind === 'stranger'
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], {
    detached: kind !== 'child',
    stdio: 'ignore',
    ...(own && { env: {} }),
  })
  child.unref()
  return child.pid!
}

const routes: Record<string, () => unknown> = {
  '/health': () => ({ status: 'ok' }),
  '/who': () => ({
    name: SERVER_NAME,
    pid: process.pid,
    cwd: process.cwd(),
    tmp: tmpdir(),
    env: process.env,
  }),
  '/life': () => ({ uptime: process.uptime(), main: import.meta.main, script: process.argv[1] }),
  '/note': () => writeFileSync('note', 'mine'),
  '/noted': () => [existsSync('note'), existsSync(join(tmpdir(), 'note'))],
  '/child': () => leave('child'),
  '/daemon': () => leave('daemon'),
  '/stranger': () => leave('stranger'),
  '/exit': () => process.exit(3),
}

const server = createServer((request, response) => {
  const answer = routes[request.url ?? '']?.()
  console.log(`${request.method} ${request.url}`)
  response.end(JSON.stringify(answer ?? null))
})
server.listen(Number(PORT), '127.0.0.1')
process.on('SIGTERM', () => {
  console.log('asked to stop')
  server.close(() => process.exit(0))
  server.closeAllConnections()
})
