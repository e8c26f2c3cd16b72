import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve, type ServerType } from '@hono/node-server'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FeedEvent, Progress } from '../../checks/grader/verdict.ts'
import { TOKEN_HEADER, type ServerEvent } from '../src/live/protocol.ts'
import { createSite, type SiteServer } from './app.ts'
import type { CheckCommand } from './queue.ts'

const LAB = '02-dual-servers'
/** A check that says what it was asked for and waits until it is told to end. */
const GATE = `
const { existsSync, writeFileSync } = require('node:fs')
const [, gate, chapter] = process.argv
writeFileSync(gate + '.' + chapter, '')
const timer = setInterval(() => existsSync(gate) && (clearInterval(timer), console.log('{}')), 5)
`

let folder: string
let site: SiteServer
let server: ServerType
let port = 0
let written: unknown[]

async function startSite(command?: CheckCommand): Promise<void> {
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

interface Asked {
  method?: string
  headers?: Record<string, string>
  body?: string
}

/** A request with any headers at all, as `fetch` would not let us send it. */
function ask(
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

const own = () => ({ origin: `http://localhost:${port}` })
const token = async () => (JSON.parse((await ask('/api/session')).text) as { token: string }).token

async function post(path: string, value: unknown, headers: Record<string, string> = {}) {
  return await ask(path, {
    method: 'POST',
    headers: { ...own(), 'content-type': 'application/json', [TOKEN_HEADER]: await token(), ...headers },
    body: JSON.stringify(value),
  })
}

/** Follows the event stream; `next` waits for the first event that fits. */
function follow(): {
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

const isType =
  <T extends ServerEvent['type']>(type: T) =>
  (event: ServerEvent): event is Extract<ServerEvent, { type: T }> =>
    event.type === type

describe('pages', () => {
  beforeEach(() => startSite())

  it('serves pages by their routes, marks them as live, and lets only their own scripts run', async () => {
    const home = await ask('/')
    expect(home.text).toContain('workbook-live')
    expect(home.headers['content-security-policy']).toMatch(
      /script-src 'self' 'wasm-unsafe-eval' 'sha256-[\w+/=]+'/,
    )
    expect(home.headers['content-security-policy']).not.toMatch(/script-src[^;]*unsafe-inline/)
    expect((await ask('/page')).text).toContain('page')
    expect((await ask('/page/')).headers.location).toBe('/page')
    expect((await ask('/assets/js/a.1234.js')).headers['cache-control']).toContain('immutable')
  })

  it('has a 404 page in each language', async () => {
    expect(await ask('/nowhere')).toMatchObject({
      status: 404,
      text: expect.stringContaining('missing') as string,
    })
    expect(await ask('/ja/nowhere')).toMatchObject({
      status: 404,
      text: expect.stringContaining('ないページ') as string,
    })
  })

  it.each([
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/assets/..%5c..%5csecret.txt',
    '/page.html%00',
    '//etc/passwd',
  ])('lets no path out of the site: %s', async (path) => {
    const answer = await ask(path)
    expect(answer.status).toBe(404)
    expect(answer.text).not.toContain('secret')
  })

  it('serves another build that has taken the place of the first', async () => {
    await ask('/')
    writeFileSync(join(folder, 'build/index.html'), '<html><head></head>anew</html>')
    writeFileSync(join(folder, 'build/.built-from'), 'x')
    expect((await ask('/')).text).toContain('anew')
  })
})

describe('who may ask', () => {
  beforeEach(() => startSite())

  it.each([
    ['a foreign name that resolves here', { host: 'evil.example' }],
    ['another port of this machine', { host: 'localhost:1' }],
    ['a foreign page', { origin: 'https://evil.example' }],
    ['a page without an origin', { origin: 'null' }],
  ])('refuses %s, whatever it asks for', async (_, headers) => {
    for (const path of ['/', '/api/session', '/api/progress', '/api/events']) {
      expect((await ask(path, { headers })).status, path).toBe(403)
    }
  })

  it('refuses what a browser says comes from elsewhere', async () => {
    for (const site of ['cross-site', 'same-site']) {
      expect((await ask('/api/session', { headers: { 'sec-fetch-site': site } })).status).toBe(403)
    }
    expect((await ask('/api/session', { headers: { 'sec-fetch-site': 'same-origin' } })).status).toBe(200)
  })

  it('changes nothing without token, origin and JSON', async () => {
    const body = JSON.stringify({ lab: LAB })
    const right = { ...own(), 'content-type': 'application/json', [TOKEN_HEADER]: await token() }
    const without = (name: string) =>
      Object.fromEntries(Object.entries(right).filter(([key]) => key !== name))
    const send = async (headers: Record<string, string>) =>
      (await ask('/api/runs', { method: 'POST', headers, body })).status
    expect(await send(without('origin'))).toBe(403)
    expect(await send(without(TOKEN_HEADER))).toBe(403)
    expect(await send({ ...right, [TOKEN_HEADER]: 'guess' })).toBe(403)
    expect(await send({ ...right, 'content-type': 'text/plain' })).toBe(415)
    expect((await ask('/api/runs', { method: 'DELETE', headers: right })).status).toBe(404)
  })

  it('knows its labs and steps, and takes no other name', async () => {
    for (const lab of ['../../etc', '02-dual-servers/../x', '', 7, null, ['02-dual-servers']]) {
      expect((await post('/api/runs', { lab })).status, String(lab)).toBe(404)
    }
    expect((await ask('/api/labs/..%2f..%2fx/verdict')).status).toBe(404)
    expect((await ask(`/api/labs/${LAB}/logs/..%2f..%2f..%2fsecret`)).status).toBe(404)
    expect((await post(`/api/labs/${LAB}/hints`, { step: 'nothing', opened: 1 })).status).toBe(404)
    expect((await post(`/api/labs/${LAB}/hints`, { step: 'split', opened: 9 })).status).toBe(400)
    expect(written).toEqual([])
  })

  it('takes no large body', async () => {
    expect((await post('/api/runs', { lab: 'x'.repeat(5_000) })).status).toBe(413)
  })

  it('has an end of open streams', async () => {
    const streams = Array.from({ length: 32 }, () => follow())
    await Promise.all(streams.map((stream) => stream.next(isType('hello'))))
    expect((await ask('/api/events')).status).toBe(503)
    streams[0]?.close()
    await expect
      .poll(async () => {
        const one = follow()
        const hello = await Promise.race([
          one.next(isType('hello')),
          new Promise((resolve) => setTimeout(resolve, 100, undefined)),
        ])
        one.close()
        return hello
      })
      .toBeDefined()
    for (const stream of streams) stream.close()
  })
})

describe('what it tells', () => {
  const event = (run: string, more: object): FeedEvent =>
    ({ at: '', lab: 'dual-servers', chapter: LAB, run, subject: 'workspace', ...more }) as FeedEvent
  const feed = () => join(folder, 'workspace/.runs/feed.jsonl')

  it('passes on what the grader says, line by line, whatever the pieces', async () => {
    await startSite()
    const stream = follow()
    await stream.next(isType('hello'))
    const line = `${JSON.stringify(event('1', { type: 'run-started' }))}\n`
    appendFileSync(feed(), line.slice(0, 20))
    appendFileSync(feed(), `${line.slice(20)}not json\n`)
    expect((await stream.next(isType('feed'))).event.run).toBe('1')
    // Begun anew: shorter than before.
    writeFileSync(feed(), `${JSON.stringify(event('2', { type: 'run-ended' }))}\n`)
    expect((await stream.next(isType('feed'))).event.run).toBe('2')
    stream.close()
  })

  it('follows progress and keeps what it knew when the file is damaged', async () => {
    await startSite()
    const stream = follow()
    await stream.next(isType('hello'))
    const progress: Progress = { version: 1, labs: { 'dual-servers': { hints: { split: 2 } } as never } }
    const file = join(folder, 'workspace/progress.json')
    writeFileSync(file, JSON.stringify(progress))
    expect((await stream.next(isType('progress'))).progress).toEqual(progress)
    writeFileSync(file, '{"version":')
    expect(JSON.parse((await ask('/api/progress')).text)).toEqual(progress)
    stream.close()
  })

  it('gives the newest run on the learner’s own folder, with its logs', async () => {
    await startSite()
    const run = (name: string, subject: string) => {
      const dir = join(folder, 'workspace/.runs', LAB, name)
      mkdirSync(dir, { recursive: true })
      writeFileSync(
        join(dir, 'verdict.json'),
        JSON.stringify({ subject, chapter: LAB, status: 'pass', steps: [] }),
      )
      writeFileSync(join(dir, 'server-1.log'), `log of ${name}`)
    }
    run('2026-01-01T00-00-00.000', 'workspace')
    run('2026-01-02T00-00-00.000', 'workspace')
    run('2026-01-03T00-00-00.000', 'solution')
    writeFileSync(join(folder, 'workspace/.runs', LAB, 'latest'), '2026-01-03T00-00-00.000')
    expect(JSON.parse((await ask(`/api/labs/${LAB}/verdict`)).text)).toMatchObject({
      run: `.runs/${LAB}/2026-01-02T00-00-00.000`,
    })
    expect(JSON.parse((await ask(`/api/labs/${LAB}/logs`)).text)).toEqual(['server-1'])
    expect((await ask(`/api/labs/${LAB}/logs/server-1`)).text).toBe('log of 2026-01-02T00-00-00.000')
  })

  it('writes hints and surrender by the grader’s store', async () => {
    await startSite()
    expect((await post(`/api/labs/${LAB}/hints`, { step: 'split', opened: 2 })).status).toBe(200)
    expect((await post(`/api/labs/${LAB}/surrender`, {})).status).toBe(200)
    expect(written).toEqual([['dual-servers', 'split', 2], ['dual-servers']])
  })
})

describe('checks from a page', () => {
  const gate = () => join(folder, 'gate')

  it('run one at a time, a chapter once, in order', async () => {
    await startSite((chapter) => [process.execPath, '-e', GATE, gate(), chapter])
    const stream = follow()
    const first = JSON.parse((await post('/api/runs', { lab: LAB })).text) as { id: string }
    const again = JSON.parse((await post('/api/runs', { lab: LAB })).text) as { id: string }
    expect(again.id).toBe(first.id)
    await stream.next(
      (e): e is Extract<ServerEvent, { type: 'queue' }> =>
        e.type === 'queue' && e.queue.running?.id === first.id,
    )
    writeFileSync(gate(), '')
    const done = await stream.next(
      (e): e is Extract<ServerEvent, { type: 'queue' }> =>
        e.type === 'queue' && !e.queue.running && e.queue.waiting.length === 0,
    )
    expect(done.queue.problem).toBeUndefined()
    stream.close()
  })

  it('say why they could not be run', async () => {
    await startSite(() => [process.execPath, '-e', 'console.error("no lab here"); process.exit(2)'])
    const stream = follow()
    await post('/api/runs', { lab: LAB })
    const told = await stream.next(
      (e): e is Extract<ServerEvent, { type: 'queue' }> =>
        e.type === 'queue' && e.queue.problem !== undefined,
    )
    expect(told.queue.problem).toEqual({ chapter: LAB, message: 'no lab here' })
    stream.close()
  })
})
