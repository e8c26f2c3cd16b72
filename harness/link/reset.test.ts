import net from 'node:net'
import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, test } from 'vitest'
import { reset } from './reset.ts'
import { dial, scripted, until } from './testing.ts'

test('a connection that stands is reset', async () => {
  await using target = await scripted()
  const client = await dial(target.port)
  const side = await target.next(0)
  reset(side.socket)
  await until(() => client.closed)
  expect(client.error).toBe('ECONNRESET')
})

test('a connection between end() and its FIN is reset behind the FIN', async () => {
  await using target = await scripted()
  const client = await dial(target.port)
  const side = await target.next(0)
  side.socket.end()
  reset(side.socket)
  await until(() => client.ended && side.closed)
  expect(side.error).toBeUndefined()
  // Who has read the FIN hears of the reset at the next write.
  client.write('x')
  await until(() => client.closed)
  expect(client.error).toMatch(/ECONNRESET|EPIPE/)
})

test('a connection whose FIN is out already is reset too', async () => {
  await using target = await scripted()
  const client = await dial(target.port)
  const side = await target.next(0)
  side.socket.end()
  await until(() => client.ended)
  reset(side.socket)
  await until(() => side.closed)
  client.write('x')
  await until(() => client.closed)
  expect(client.error).toMatch(/ECONNRESET|EPIPE/)
})

test('a connection with bytes that nobody reads is reset at once', async () => {
  const server = net.createServer((socket) => socket.pause()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const socket = net.connect((server.address() as net.AddressInfo).port, '127.0.0.1')
  socket.end(Buffer.alloc(32 * 1024 * 1024))
  await until(() => socket.writableLength > 0 && !socket.connecting)
  reset(socket)
  await until(() => socket.closed)
  server.close()
})

test('a thread in which connections were reset at every moment ends', async () => {
  const worker = new Worker(
    `const net = require('node:net')
     import('${new URL('reset.ts', import.meta.url).href}').then(({ reset }) => {
       const server = net.createServer({ allowHalfOpen: true }, (socket) => {
         socket.on('error', () => {})
         socket.once('data', () => { socket.end(); reset(socket) })
       }).listen(0, '127.0.0.1', () => {
         let left = 20
         for (let i = 0; i < 20; i++) {
           const client = net.connect(server.address().port, '127.0.0.1')
           client.on('error', () => {}).on('close', () => --left || require('node:worker_threads').parentPort.postMessage('done'))
           client.resume().write('x')
         }
       })
     })`,
    { eval: true },
  )
  await once(worker, 'message')
  const ended = await Promise.race([
    worker.terminate().then(() => true),
    new Promise((resolve) => setTimeout(resolve, 5000, false)),
  ])
  expect(ended).toBe(true)
})
