import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { httpClient } from './http-client.ts'
import { until } from './link/testing.ts'
import { scopes } from './scope.ts'

let server: Server

async function serve(listener: RequestListener): Promise<{ name: string; port: number }> {
  server = createServer(listener)
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  return { name: 'server', port: (server.address() as AddressInfo).port }
}

afterEach(async () => {
  await scopes.closeFile()
  server.close()
})

test('keeps one connection for its requests, and sees the server close it', async () => {
  const ports = new Set<number | undefined>()
  const to = await serve((request, response) => {
    ports.add(request.socket.remotePort)
    if (request.url === '/last') response.setHeader('connection', 'close')
    response.end(request.url)
  })
  const client = await httpClient(to)
  expect((await client.request('/one')).text).toBe('/one')
  expect((await client.request('/two', { method: 'POST', body: { a: 1 } })).text).toBe('/two')
  expect(ports.size).toBe(1)
  expect(client.isOpen).toBe(true)
  expect((await client.request('/last')).status).toBe(200)
  await until(() => !client.isOpen)
  expect((await client.request('/late')).status).toBe(0)
})

test('sends half a request and hangs up', async () => {
  let received = 0
  let end: string | undefined
  const to = await serve((request) => {
    request.on('data', (chunk: Buffer) => (received += chunk.length))
    request.on('error', () => (end = request.complete ? 'whole' : 'broken off'))
  })
  const client = await httpClient(to)
  await client.write('PUT / HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n')
  await client.write('x'.repeat(300))
  await until(() => received === 300)
  await client.end()
  await until(() => end === 'broken off')
})
