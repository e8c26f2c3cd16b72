import { once } from 'node:events'
import http from 'node:http'
import { expect, test } from 'vitest'
import { closedPort } from '../ports.ts'
import { dial, httpPair, linkTo, pair, scripted, settle, until } from './testing.ts'

const get = (url: string, init: RequestInit = {}) =>
  fetch(url, { ...init, signal: AbortSignal.timeout(5000) })

test('requests are recorded with method, path, headers, status and time', async () => {
  await using p = await httpPair({ answer: { status: 201, body: { ok: true } } })
  const answer = await get(`${p.link.url}/a?b=c`, {
    method: 'PUT',
    body: 'text',
    headers: { 'x-request-id': 'r1' },
  })
  expect([answer.status, await answer.json()]).toEqual([201, { ok: true }])
  const [request] = p.link.requests
  expect(request).toMatchObject({
    method: 'PUT',
    path: '/a?b=c',
    status: 201,
    outcome: 'answered',
    delivered: true,
  })
  expect(request!.headers['x-request-id']).toBe('r1')
  expect(Math.abs(request!.at - Date.now())).toBeLessThan(5000)
  expect(p.link.counts.requests).toBe(1)
  const [event] = p.link.events
  expect(event).toMatchObject({ from: 'a', to: 'b', kind: 'http', text: 'PUT /a?b=c → 201' })
  expect(event!.failed).toBeUndefined()
})

test('a kept connection carries many requests, a 5xx is marked as failed', async () => {
  await using p = await httpPair({ answer: (_, n) => (n === 3 ? 503 : 200) })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  for (let i = 0; i < 4; i++) {
    const [response] = await once(http.get(`${p.link.url}/${i}`, { agent }), 'response')
    response.resume()
    await once(response, 'end')
  }
  agent.destroy()
  expect(p.link.requests.map(({ path, status }) => `${path} ${status}`)).toEqual([
    '/0 200',
    '/1 200',
    '/2 503',
    '/3 200',
  ])
  expect(p.link.counts.connections).toBe(1)
  expect(p.link.events.map(({ failed }) => failed)).toEqual([undefined, undefined, true, undefined])
})

test('pipelined requests, HEAD and 1xx in one chunk are paired with their answers', async () => {
  await using p = await pair('http')
  p.client.write(
    'GET /1 HTTP/1.1\r\nHost: a\r\n\r\nHEAD /2 HTTP/1.1\r\nHost: a\r\n\r\nPOST /3 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc',
  )
  await p.target.sees('abc')
  const replies =
    'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok' +
    'HTTP/1.1 204 No Content\r\nContent-Length: 99\r\n\r\n' +
    'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: t\r\n\r\n'
  p.target.write(replies)
  await until(() => p.client.received === replies)
  expect(p.link.requests.map(({ path, status, outcome }) => `${path} ${status} ${outcome}`)).toEqual([
    '/1 200 answered',
    '/2 204 answered',
    '/3 201 answered',
  ])
})

test('an upgrade turns the connection into plain bytes, a refused one does not', async () => {
  await using p = await pair('http')
  const ask = 'GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'
  p.client.write(ask)
  await p.target.sees('/ws')
  p.target.write('HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n')
  await p.client.sees('Full')
  p.client.write(ask)
  await until(() => p.link.counts.requests === 2)
  p.target.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\nframe')
  await p.client.sees('frame')
  p.client.write('GET /not-a-request HTTP/1.1\r\n\r\n')
  await p.target.sees('not-a-request')
  expect(p.link.requests.map(({ status, outcome }) => [status, outcome])).toEqual([
    [503, 'answered'],
    [101, 'answered'],
  ])
  expect(p.link.counts.requests).toBe(2)
})

test('what is no HTTP passes untouched', async () => {
  await using p = await pair('http')
  p.client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')
  await p.target.sees('SM\r\n\r\n')
  p.target.write('\x00\x01 whatever')
  await p.client.sees('whatever')
  expect(p.link.counts.requests).toBe(0)
})

test('an answer that ends with its connection is complete then', async () => {
  await using p = await pair('http')
  p.client.write('GET / HTTP/1.0\r\n\r\n')
  await p.target.sees('GET')
  p.target.socket.end('HTTP/1.0 200 OK\r\n\r\nhalf of it, and the rest')
  await until(() => p.client.ended)
  expect(p.client.received).toContain('the rest')
  expect(p.link.requests[0]).toMatchObject({ status: 200, outcome: 'answered' })
})

test('loseReply delivers the request, swallows the answer and resets, once', async () => {
  await using p = await httpPair()
  const loss = p.link.loseReply(({ path }) => path !== '/health')
  expect((await get(`${p.link.url}/health`)).status).toBe(200)
  await expect(get(`${p.link.url}/order`, { method: 'POST', body: 'x' })).rejects.toThrow()
  await loss.lost
  expect((await get(`${p.link.url}/order`, { method: 'POST', body: 'x' })).status).toBe(200)
  expect(loss.count).toBe(1)
  expect(p.peer.received('/order')).toHaveLength(2)
  expect(p.link.requests.map(({ path, status, outcome }) => `${path} ${status} ${outcome}`)).toEqual([
    '/health 200 answered',
    '/order 200 lost',
    '/order 200 answered',
  ])
  expect(p.link.events.map(({ text, failed }) => [text, failed])).toContainEqual([
    'POST /order → 200, reply lost',
    true,
  ])
})

test('loseReply goes on until it is stopped or the link opened', async () => {
  await using p = await httpPair({ answer: { megabytes: 1 } })
  const loss = p.link.loseReply(/^GET/, { times: Infinity })
  for (let i = 0; i < 3; i++) await expect(get(p.link.url)).rejects.toThrow()
  expect(loss.count).toBe(3)
  loss.stop()
  expect((await (await get(p.link.url)).arrayBuffer()).byteLength).toBe(1_000_000)
  const second = p.link.loseReply('GET /x', { times: Infinity })
  await expect(get(`${p.link.url}/x`)).rejects.toThrow()
  await p.link.open()
  expect((await get(`${p.link.url}/x`)).status).toBe(200)
  expect(second.count).toBe(1)
})

test('a request whose answer never came does not use up a loss', async () => {
  await using p = await httpPair()
  const loss = p.link.loseReply()
  p.peer.answer = 'reset'
  await expect(get(p.link.url)).rejects.toThrow()
  expect([loss.count, p.link.requests[0]!.outcome]).toEqual([0, 'reset'])
  p.peer.answer = 200
  await expect(get(p.link.url)).rejects.toThrow()
  expect(loss.count).toBe(1)
})

test('earlier answers of a pipeline pass before the lost one resets', async () => {
  await using p = await pair('http')
  const loss = p.link.loseReply('/2')
  p.client.write('GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\n\r\n')
  await p.target.sees('/2')
  p.target.write(
    'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\noneHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntw',
  )
  await p.client.sees('one')
  await settle()
  expect([p.client.closed, loss.count]).toEqual([false, 0])
  p.target.write('o')
  await until(() => p.client.closed && p.target.closed)
  expect(p.client.received).not.toContain('tw')
  expect([p.client.error, p.target.error, loss.count]).toEqual(['ECONNRESET', 'ECONNRESET', 1])
})

test('a held answer shows its status before it is delivered', async () => {
  await using p = await httpPair()
  p.link.hold('reply')
  const answer = get(p.link.url)
  await until(() => p.link.requests[0]?.status === 200)
  expect(p.link.requests[0]!.outcome).toBe('waiting')
  p.link.release()
  expect((await answer).status).toBe(200)
  expect(p.link.requests[0]!.outcome).toBe('answered')
})

test('a cut while an answer is held is a reset', async () => {
  await using p = await httpPair()
  p.link.hold('reply')
  const answer = get(p.link.url).catch(() => 'broken')
  await until(() => p.link.held.reply > 0)
  p.link.cut()
  expect(await answer).toBe('broken')
  expect(p.link.requests[0]).toMatchObject({ status: 200, outcome: 'reset', delivered: true })
})

test('a client that gives up in a black hole is told as such', async () => {
  await using p = await httpPair()
  p.link.blackHole()
  await expect(fetch(`${p.link.url}/x`, { signal: AbortSignal.timeout(50) })).rejects.toThrow()
  await until(() => p.link.requests[0]?.outcome === 'aborted')
  expect(p.link.requests[0]).toMatchObject({ path: '/x', delivered: false })
  expect(p.link.events.at(-1)).toMatchObject({ text: 'GET /x → client gave up', failed: true })
  expect(p.peer.requests).toHaveLength(0)
})

test('a refused target is a reset request', async () => {
  await using link = await linkTo(await closedPort(), 'http')
  await expect(get(link.url)).rejects.toThrow()
  expect(link.counts.rejected).toBe(1)
})

test('beforeForward sees each request before the target does', async () => {
  await using p = await httpPair()
  const seen: string[] = []
  p.link.beforeForward(async ({ request }) => {
    await settle(5)
    seen.push(
      `${request?.method} ${request?.path} ${request?.headers['x-n']} behind ${p.peer.requests.length}`,
    )
  })
  for (const n of ['1', '2']) {
    await (
      await get(`${p.link.url}/p`, { method: 'POST', body: 'x'.repeat(200_000), headers: { 'x-n': n } })
    ).text()
  }
  expect(seen).toEqual(['POST /p 1 behind 0', 'POST /p 2 behind 1'])
  expect(p.peer.requests.map(({ body }) => body.length)).toEqual([200_000, 200_000])
})

test('Expect: 100-continue works through a link', async () => {
  await using p = await httpPair()
  const request = http.request(p.link.url, {
    method: 'PUT',
    headers: { expect: '100-continue', 'content-length': 4 },
  })
  request.flushHeaders()
  await once(request, 'continue')
  request.end('body')
  const [response] = await once(request, 'response')
  response.resume()
  expect([response.statusCode, p.peer.requests[0]!.text]).toEqual([200, 'body'])
})

test('10 MB pass both ways, unchanged', async () => {
  await using p = await httpPair({ answer: ({ body }) => ({ body }) })
  const body = Buffer.alloc(10_000_000)
  for (let i = 0; i < body.length; i += 4) body.writeUInt32LE((i * 2654435761) % 2 ** 32, i)
  const answer = await get(p.link.url, { method: 'POST', body })
  expect(Buffer.compare(Buffer.from(await answer.arrayBuffer()), body)).toBe(0)
})

test('a server-sent stream passes as it comes', async () => {
  await using server = await scripted()
  await using link = await linkTo(server.port, 'http')
  const client = await dial(link.port)
  client.write('GET /events HTTP/1.1\r\n\r\n')
  const target = await server.next(0)
  await target.sees('events')
  target.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n')
  for (const n of [1, 2, 3]) {
    target.write(`6\r\nevent${n}\r\n`)
    await client.sees(`event${n}`)
  }
  expect(link.requests[0]).toMatchObject({ status: 200, outcome: 'waiting' })
  client.socket.destroy()
})
