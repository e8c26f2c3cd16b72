import net from 'node:net'
import { expect, test } from 'vitest'
import { closedPort, freePort } from './ports.ts'

const outcome = (port: number) =>
  new Promise<string>((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' })
    socket
      .once('connect', () => resolve('connected'))
      .once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
    socket.once('connect', () => socket.destroy())
  })

test('never the same port twice, all outside the ephemeral range', async () => {
  const ports = await Promise.all(Array.from({ length: 300 }, () => freePort()))
  expect(new Set(ports).size).toBe(300)
  expect(Math.min(...ports)).toBeGreaterThanOrEqual(20_000)
  expect(Math.max(...ports)).toBeLessThanOrEqual(32_000)
})

test('a free port can be listened on, a closed one refuses', async () => {
  const port = await freePort(['127.0.0.1', '0.0.0.0'])
  const server = net.createServer().listen(port, '127.0.0.1')
  expect(await outcome(port)).toBe('connected')
  server.close()
  expect(await outcome(await closedPort())).toBe('ECONNREFUSED')
})
