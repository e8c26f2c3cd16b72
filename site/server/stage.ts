import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve, type ServerType } from '@hono/node-server'
import { afterEach, beforeEach } from 'vitest'
import { TOKEN_HEADER, type ServerEvent } from '../src/live/protocol.ts'
import { createSite, type SiteServer } from './app.ts'
import type { CheckCommand } from './queue.ts'

export const LAB = '02-dual-servers'

let folder: string
let site: SiteServer
let server: ServerType
let port = 0
let written: unknown[]

/** For every test of the file: a folder with a built site and a workspace, for servers that the test starts. */
export function useFolder(): void {
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'workbook-site-'))
    written = []
    mkdirSync(join(folder, 'build/assets/js'), { recursive: true })
    mkdirSync(join(folder, 'build/ja'), { recursive: true })
    mkdirSync(join(folder, 'workspace/.runs'), { recursive: true })
    writeFileSync(
      join(folder, 'build/index.html'),
      '<html><head></head><body><script>let a</script>home</body></html>',
    )
    writeFileSync(join(folder, 'build/page.html'), '<html><head></head>page</html>')
    writeFileSync(join(folder, 'build/404.html'), '<html><head></head>missing</html>')
    writeFileSync(join(folder, 'build/ja/404.html'), '<html><head></head>ないページ</html>')
    writeFileSync(join(folder, 'build/assets/js/a.1234.js'), 'let x')
    writeFileSync(join(folder, 'secret.txt'), 'secret')
  })

  afterEach(async () => {
    if ('closeAllConnections' in server) server.closeAllConnections()
    server.close()
    await site.stop()
    rmSync(folder, { recursive: true, force: true })
  })
}

/** A place in the folder. */
export const at = (path: string): string => join(folder, path)

/** What the grader's store was told to write. */
export const told = (): unknown[] => written

export async function startSite(command?: CheckCommand): Promise<void> {
  site = createSite({
    root: process.cwd(),
    workspace: join(folder, 'workspace'),
    build: join(folder, 'build'),
    port: () => port,
    writer: {
      openHints: async (...args) => written.push(args),
      surrender: async (...args) => written.push(args),
    },
    ...(command && { command }),
  })
  await new Promise<void>((resolve) => {
    server = serve({ fetch: site.fetch, hostname: '127.0.0.1', port: 0 }, () => resolve())
  })
  port = (server.address() as AddressInfo).port
}

interface Asked {
  method?: string
  headers?: Record<string, string>
  body?: string
}

/** A request with any headers at all, as `fetch` would not let us send it. */
export function ask(
  path: string,
  { method = 'GET', headers = {}, body }: Asked = {},
): Promise<{ status: number; text: string; headers: IncomingMessage['headers'] }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port, path, method, headers: { host: `localhost:${port}`, ...headers } },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => (text += chunk))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text, headers: answer.headers }))
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

export const own = () => ({ origin: `http://localhost:${port}` })
export const token = async () => (JSON.parse((await ask('/api/session')).text) as { token: string }).token

export async function post(path: string, value: unknown, headers: Record<string, string> = {}) {
  return await ask(path, {
    method: 'POST',
    headers: { ...own(), 'content-type': 'application/json', [TOKEN_HEADER]: await token(), ...headers },
    body: JSON.stringify(value),
  })
}

/** Follows the event stream; `next` waits for the first event that fits. */
export function follow(): {
  next<T extends ServerEvent>(fits: (event: ServerEvent) => event is T): Promise<T>
  close(): void
} {
  const events: ServerEvent[] = []
  const waiting = new Set<() => void>()
  const outgoing = request(
    { host: '127.0.0.1', port, path: '/api/events', headers: { host: `localhost:${port}` } },
    (answer) => {
      answer.setEncoding('utf8')
      answer.on('data', (chunk: string) => {
        for (const [, data] of chunk.matchAll(/^data: (.*)$/gm))
          events.push(JSON.parse(data ?? '') as ServerEvent)
        for (const wake of waiting) wake()
      })
      answer.on('error', () => undefined)
    },
  )
  outgoing.on('error', () => undefined)
  outgoing.end()
  return {
    next: (fits) =>
      new Promise((resolve) => {
        const look = () => {
          const at = events.findIndex(fits)
          if (at === -1) return
          waiting.delete(look)
          resolve(events.splice(at, 1)[0] as never)
        }
        waiting.add(look)
        look()
      }),
    close: () => outgoing.destroy(),
  }
}

export const isType =
  <T extends ServerEvent['type']>(type: T) =>
  (event: ServerEvent): event is Extract<ServerEvent, { type: T }> =>
    event.type === type
