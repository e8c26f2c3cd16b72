import { writeFileSync } from 'node:fs'
import { beforeEach, describe, expect, it } from 'vitest'
import { TOKEN_HEADER } from '../src/live/protocol.ts'
import { ask, at, follow, isType, LAB, own, post, startSite, token, told, useFolder } from './stage.ts'

useFolder()

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
    writeFileSync(at('build/index.html'), '<html><head></head>anew</html>')
    writeFileSync(at('build/.built-from'), 'x')
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
    expect(told()).toEqual([])
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
