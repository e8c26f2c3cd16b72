import { Agent } from 'node:http'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { reset } from './link/reset.ts'
import { http, type Answer, type RequestOptions } from './http.ts'
import { atEnd } from './scope.ts'
import { note } from './timeline.ts'

/** Where a client may connect to: a role, a link, a scripted peer. */
type Target = { name: string; port: number; host?: string }

/**
 * A client with one connection that it keeps: for tests that ask what the server does with a connection. Requests go
 * one after another; `write` sends whatever bytes the test likes, half a request too. It ends with the test.
 */
export async function httpClient(to: Target): Promise<HttpClient> {
  const socket = connect(to.port, to.host ?? '127.0.0.1')
  socket.on('error', () => {}) // seen as closed
  await once(socket, 'connect')
  const client = new HttpClient(to, socket)
  atEnd(() => client.reset())
  return client
}

export class HttpClient {
  /** Epoch milliseconds at which the connection ended, by whichever side. */
  closedAt: number | undefined
  readonly #to: Target
  readonly #socket: Socket
  readonly #agent: Agent

  constructor(to: Target, socket: Socket) {
    this.#to = to
    this.#socket = socket.setNoDelay(true)
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 })
    this.#agent.createConnection = (_, done) => {
      if (!socket.destroyed) return socket
      done?.(Object.assign(new Error('the connection is closed'), { code: 'ECONNRESET' }), socket)
      return undefined
    }
    socket.on('close', () => (this.closedAt = Date.now()))
  }

  get isOpen(): boolean {
    return this.closedAt === undefined
  }

  /** A whole request on the kept connection. */
  request(path: string, options: Omit<RequestOptions, 'to' | 'agent'> = {}): Promise<Answer> {
    const { name, port, host = '127.0.0.1' } = this.#to
    return http(`http://${host}:${port}${path}`, { ...options, to: name, agent: this.#agent })
  }

  /** Sends bytes as they are; resolves when the system has taken them. Not beside {@link request}. */
  async write(bytes: string | Buffer): Promise<void> {
    await new Promise((resolve) => this.#socket.write(bytes, resolve))
  }

  /** The client goes away in an orderly way, whatever it still owes. */
  async end(): Promise<void> {
    if (!this.isOpen) return
    note({ from: 'test', to: this.#to.name, kind: 'http', text: 'the client hangs up' })
    this.#socket.destroy()
    await once(this.#socket, 'close')
  }

  /** The connection breaks. */
  reset(): void {
    this.#agent.destroy()
    reset(this.#socket)
  }
}
