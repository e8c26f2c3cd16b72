import { once } from 'node:events'

/** A first time is slow, a second one nearly, a third one no more. */
const TIMES = 3

/**
 * Requests and answers within this process, while nobody waits: Node loads and compiles most of what a service runs when
 * that runs for the first time, and a learner would wait for that at every start of a role.
 * @param {readonly string[]} packages that roles of this lab may use
 */
export async function rehearse(packages) {
  if (packages.includes('@hono/node-server')) await overHttp()
}

async function overHttp() {
  const { serve } = await import('@hono/node-server')
  const { Hono } = await import('hono')
  const app = new Hono()
  app.use(async (c, next) => {
    await next()
    c.header('x-path', c.req.path)
  })
  app.post('/:name', async (c) =>
    c.json({ name: c.req.param('name'), query: c.req.query(), ...(await c.req.json()) }),
  )
  // Whether the global Request and Response are replaced is for the role itself to say.
  const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1', overrideGlobalObjects: false })
  await once(server, 'listening')
  for (let i = 0; i < TIMES; i++) {
    const answer = await fetch(`http://127.0.0.1:${server.address().port}/x?a=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"text":"x"}',
      signal: AbortSignal.timeout(1000),
    })
    await answer.json()
  }
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}
