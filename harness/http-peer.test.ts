import { expect, test } from 'vitest'
import { httpPeer } from './http-peer.ts'
import { until } from './link/testing.ts'

const get = (url: string, init: RequestInit = {}) =>
  fetch(url, { ...init, signal: AbortSignal.timeout(5000) })

test('records what came and answers as it was told', async () => {
  await using peer = await httpPeer({
    name: 'webhook',
    answer: { status: 201, headers: { 'x-a': 'b' }, body: { id: 1 } },
  })
  const answer = await get(`${peer.url}/hook?x=1`, { method: 'POST', body: JSON.stringify({ 日本: '語' }) })
  expect([answer.status, answer.headers.get('x-a'), await answer.json()]).toEqual([201, 'b', { id: 1 }])
  expect(peer.requests[0]).toMatchObject({
    method: 'POST',
    path: '/hook?x=1',
    json: { 日本: '語' },
    gone: false,
  })
  expect(peer.received('/hook')).toHaveLength(1)
  peer.answer = 404
  expect((await get(peer.url)).status).toBe(404)
  peer.answer = (request, n) => ({ body: `${n} ${request.path}` })
  expect(await (await get(`${peer.url}/third`)).text()).toBe('3 /third')
})

test('holds by path, and answers with what stands when it is released', async () => {
  await using peer = await httpPeer()
  const held = peer.hold('/slow')
  const slow = get(`${peer.url}/slow?n=1`)
  expect((await get(`${peer.url}/fast`)).status).toBe(200)
  await until(() => held.requests.length === 1)
  peer.answer = 503
  held.release()
  expect((await slow).status).toBe(503)
  expect((await get(`${peer.url}/slow`)).status).toBe(503)
})

test('knows of a client that went away', async () => {
  await using peer = await httpPeer({ answer: 'silent' })
  await expect(fetch(peer.url, { signal: AbortSignal.timeout(50) })).rejects.toThrow()
  await until(() => peer.requests[0]?.gone)
})

test('resets, sends half, sends megabytes', async () => {
  await using peer = await httpPeer({ answer: 'reset' })
  await expect(get(peer.url)).rejects.toThrow()
  peer.answer = { body: 'twelve bytes', half: true }
  const half = await get(peer.url)
  expect(half.headers.get('content-length')).toBe('12')
  await expect(half.text()).rejects.toThrow()
  peer.answer = { megabytes: 10 }
  expect((await (await get(peer.url)).arrayBuffer()).byteLength).toBe(10_000_000)
})

test('an answer that throws is a 500 and kept', async () => {
  await using peer = await httpPeer({
    answer: () => {
      throw new Error('broken script')
    },
  })
  expect((await get(peer.url)).status).toBe(500)
  expect(peer.failure).toMatchObject({ message: 'broken script' })
})

test('refuses, and comes back on the same port', async () => {
  await using peer = await httpPeer()
  const { url } = peer
  peer.refuse()
  await expect(get(url)).rejects.toMatchObject({ cause: { code: 'ECONNREFUSED' } })
  await peer.open()
  expect((await get(url)).status).toBe(200)
})
