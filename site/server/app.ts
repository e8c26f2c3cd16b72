import { randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { streamSSE } from 'hono/streaming'
import { join } from 'node:path'
import { labFolders, readLab } from '../plugins/labs.ts'
import type { ServerEvent } from '../src/live/protocol.ts'
import { followFeed, followProgress } from './follow.ts'
import { currentSite } from './pages.ts'
import { RunQueue, type CheckCommand } from './queue.ts'
import { Records } from './records.ts'
import { onlyOurselves, onlyWithToken, securityHeaders } from './security.ts'

const MOST_STREAMS = 32
const LARGEST_BODY = 2_048
const HEARTBEAT_MS = 15_000

/** What the pages may write: hints that were opened and a lab that was given up. */
export interface ProgressWriter {
  openHints(lab: string, step: string, opened: number): Promise<unknown>
  surrender(lab: string): Promise<unknown>
}

export interface SiteServer {
  fetch: (request: Request) => Response | Promise<Response>
  stop: () => Promise<void>
}

interface Options {
  root: string
  /** The learner's folder. */
  workspace: string
  /** Folder of the built site. */
  build: string
  port: () => number
  writer: ProgressWriter
  command?: CheckCommand
}

const npmCheck: CheckCommand = (chapter) => [
  process.execPath,
  'bootstrap.mjs',
  'check',
  chapter.slice(0, 2),
  '--json',
]

/** Site and API of `npm start`: pages, progress live, and checks that a page may start. */
export function createSite({
  root,
  workspace,
  build,
  port,
  writer,
  command = npmCheck,
}: Options): SiteServer {
  const site = currentSite(build)
  const records = new Records(workspace)
  const streams = new Set<(event: ServerEvent) => void>()
  const tell = (event: ServerEvent) => streams.forEach((stream) => stream(event))
  const queue = new RunQueue(root, command, (state) => tell({ type: 'queue', queue: state }))
  const progress = followProgress(join(workspace, 'progress.json'), (now) =>
    tell({ type: 'progress', progress: now }),
  )
  const stopFeed = followFeed(join(workspace, '.runs/feed.jsonl'), (event) => tell({ type: 'feed', event }))
  const token = randomBytes(24).toString('base64url')

  const app = new Hono()
  app.use(onlyOurselves(port))
  app.use('/api/*', async (c, next) => {
    await next()
    for (const [name, value] of Object.entries(securityHeaders())) c.res.headers.set(name, value)
    c.res.headers.set('cache-control', 'no-store, no-transform')
  })
  app.use('/api/*', async (c, next) =>
    c.req.method === 'GET' ? await next() : await onlyWithToken(token)(c, next),
  )
  app.use(
    '/api/*',
    bodyLimit({ maxSize: LARGEST_BODY, onError: (c) => c.json({ error: 'body_too_large' }, 413) }),
  )

  app.get('/api/session', (c) => c.json({ token }))
  app.get('/api/progress', (c) => c.json(progress.now()))
  app.get('/api/events', (c) => {
    if (streams.size >= MOST_STREAMS) return c.json({ error: 'too_many_streams' }, 503)
    return streamSSE(c, async (stream) => {
      const send = (event: ServerEvent) => void stream.writeSSE({ data: JSON.stringify(event) })
      const beat = setInterval(() => void stream.write(': still here\n\n'), HEARTBEAT_MS)
      streams.add(send)
      send({ type: 'hello', progress: progress.now(), queue: queue.state() })
      await new Promise<void>((resolve) => stream.onAbort(resolve))
      streams.delete(send)
      clearInterval(beat)
    })
  })

  const known = (slug: string) => labFolders(root).find((name) => name === slug)
  app.get('/api/labs/:lab/verdict', (c) => {
    const lab = known(c.req.param('lab'))
    return lab ? c.json(records.latest(lab) ?? null) : c.json({ error: 'unknown_lab' }, 404)
  })
  app.get('/api/labs/:lab/bench', (c) => {
    const lab = known(c.req.param('lab'))
    return lab ? c.json(records.bench(lab) ?? null) : c.json({ error: 'unknown_lab' }, 404)
  })
  app.get('/api/labs/:lab/logs', (c) => {
    const lab = known(c.req.param('lab'))
    return lab ? c.json(records.logs(lab)) : c.json({ error: 'unknown_lab' }, 404)
  })
  app.get('/api/labs/:lab/logs/:name', (c) => {
    const lab = known(c.req.param('lab'))
    const log = lab && records.log(lab, c.req.param('name'))
    return log === undefined ? c.json({ error: 'unknown_log' }, 404) : c.text(log)
  })
  app.post('/api/runs', async (c) => {
    const { lab } = await body<{ lab?: unknown }>(c.req.raw)
    const slug = typeof lab === 'string' ? known(lab) : undefined
    if (!slug) return c.json({ error: 'unknown_lab' }, 404)
    const run = queue.add(slug)
    return run ? c.json(run, 202) : c.json({ error: 'queue_full' }, 429)
  })
  app.post('/api/labs/:lab/hints', async (c) => {
    const lab = known(c.req.param('lab'))
    const { step, opened } = await body<{ step?: unknown; opened?: unknown }>(c.req.raw)
    const steps = lab ? ((await readLab(root, lab))?.steps ?? []) : []
    const found = steps.find((s) => s.id === step)
    if (!lab || !found) return c.json({ error: 'unknown_step' }, 404)
    if (opened !== 1 && opened !== 2 && opened !== 3) return c.json({ error: 'bad_request' }, 400)
    await writer.openHints(lab.slice(3), found.id, opened)
    return c.json({ ok: true })
  })
  app.post('/api/labs/:lab/surrender', async (c) => {
    const lab = known(c.req.param('lab'))
    if (!lab) return c.json({ error: 'unknown_lab' }, 404)
    await writer.surrender(lab.slice(3))
    return c.json({ ok: true })
  })
  app.all('/api/*', (c) => c.json({ error: 'not_found' }, 404))
  app.get('*', (c) => site().answer(c.req.path))

  return {
    fetch: (request) => app.fetch(request),
    stop: async () => {
      stopFeed()
      progress.stop()
      await queue.stop()
    },
  }
}

/** The body as an object; anything else counts as an empty one. */
async function body<T extends object>(request: Request): Promise<Partial<T>> {
  const value: unknown = await request.json().catch(() => undefined)
  return typeof value === 'object' && value !== null ? (value as Partial<T>) : {}
}
