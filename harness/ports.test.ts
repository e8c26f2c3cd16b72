import { spawn } from 'node:child_process'
import { once } from 'node:events'
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

test('300 ports are 300 different ones, all outside the ephemeral range', async () => {
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

test('no two processes draw from the same block', async () => {
  const draw = `import { freePort } from '${new URL('ports.ts', import.meta.url).href}'
    console.log(await freePort())
    process.stdin.resume()`
  const children = [1, 2, 3].map(() => spawn(process.execPath, ['--input-type=module', '-e', draw]))
  try {
    const ports = await Promise.all(children.map(async ({ stdout }) => Number(await once(stdout, 'data'))))
    const blocks = [...ports, await freePort()].map((port) => Math.floor(port / 1000))
    expect(new Set(blocks).size).toBe(4)
  } finally {
    for (const child of children) child.kill()
  }
})
