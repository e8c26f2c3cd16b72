import net from 'node:net'
import { httpPeer } from '../http-peer.ts'
import { openLink, type LinkOptions } from './link.ts'
import type { LinkEvent, Protocol } from './types.ts'

/** What the tests of this folder share. */

/** Waits until something holds, or says what it was. */
export async function until(holds: () => unknown, ms = 5000): Promise<void> {
  const deadline = performance.now() + ms
  while (!holds()) {
    if (performance.now() > deadline) throw new Error(`not within ${ms} ms: ${holds.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

/** A few turns of the loop: time for what must not happen to happen. */
export const settle = (ms = 30) => new Promise<void>((resolve) => setTimeout(resolve, ms))

/** One side of a connection, and everything that it has seen. */
export class Side {
  readonly socket: net.Socket
  received = ''
  bytes = 0
  ended = false
  closed = false
  error: string | undefined

  constructor(socket: net.Socket) {
    this.socket = socket
    socket.on('data', (chunk) => {
      this.bytes += chunk.length
      if (this.received.length < 100_000) this.received += chunk.toString('latin1')
    })
    socket.on('end', () => (this.ended = true))
    socket.on('close', () => (this.closed = true))
    socket.on('error', (error: NodeJS.ErrnoException) => (this.error = error.code))
  }

  /** Sends, and waits until the text has come back or over. */
  write(text: string | Buffer): this {
    this.socket.write(text)
    return this
  }

  async sees(text: string): Promise<void> {
    await until(() => this.received.includes(text))
  }
}

export async function dial(port: number): Promise<Side> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
  const side = new Side(socket)
  await new Promise<void>((resolve) => socket.once('connect', resolve).once('close', () => resolve()))
  return side
}

/** A server whose connections the test plays by hand, or which answers each chunk. */
export async function scripted(answer?: (chunk: Buffer, side: Side) => void) {
  const sides: Side[] = []
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    const side = new Side(socket)
    sides.push(side)
    if (answer) socket.on('data', (chunk) => answer(chunk, side))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    port: address.port,
    sides,
    async next(n = sides.length) {
      await until(() => sides.length > n)
      return sides[n]!
    },
    async [Symbol.asyncDispose]() {
      for (const { socket } of sides) socket.destroy()
      await new Promise<unknown>((resolve) => server.close(resolve))
    },
  }
}

export async function linkTo(port: number, protocol: Protocol = 'tcp', options: Partial<LinkOptions> = {}) {
  const events: LinkEvent[] = []
  const target = { host: '127.0.0.1', port }
  const link = await openLink({
    name: 'a → b',
    target,
    protocol,
    record: (event) => events.push(event),
    ...options,
  })
  return Object.assign(link, { events })
}

/** A client, a link and the target's side of the first connection. */
export async function pair(protocol: Protocol = 'tcp') {
  const server = await scripted()
  const link = await linkTo(server.port, protocol)
  const client = await dial(link.port)
  const target = await server.next(0)
  return {
    server,
    link,
    client,
    target,
    async [Symbol.asyncDispose]() {
      client.socket.destroy()
      await link.close()
      await server[Symbol.asyncDispose]()
    },
  }
}

/** A peer and an `http` link to it. */
export async function httpPair(answer?: Parameters<typeof httpPeer>[0]) {
  const peer = await httpPeer(answer)
  const link = await linkTo(peer.port, 'http')
  return {
    peer,
    link,
    async [Symbol.asyncDispose]() {
      await link.close()
      await peer.close()
    },
  }
}

export function postgresMessage(type: string, body: string | Buffer = ''): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(Buffer.byteLength(body) + 4)
  return Buffer.concat([Buffer.from(type), length, Buffer.from(body)])
}
