import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { reset } from './link/reset.ts'
import { freePort } from './ports.ts'

/** A request that a peer received whole. */
export interface PeerRequest {
  method: string
  /** As it was sent, with its query. */
  path: string
  headers: IncomingHttpHeaders
  body: Buffer
  /** The body as text. */
  text: string
  /** The body as JSON; undefined where it is none. */
  // oxlint-disable-next-line typescript/no-explicit-any -- a test reads what the learner's service sent, field by field
  json: any
  /** Epoch milliseconds. */
  at: number
  /** The client went away before it had its answer. */
  gone: boolean
}

export interface PeerReply {
  /** Default 200. */
  status?: number
  headers?: Record<string, string>
  /** Text and bytes are sent as they are, anything else as JSON. */
  body?: unknown
  /** So many megabytes instead of a body. */
  megabytes?: number
  /** Only half of the body is sent, then the connection is reset. */
  half?: boolean
}

/** A status alone, a reply, a connection that is reset, or silence until the peer is closed. */
export type PeerAnswer = number | PeerReply | 'reset' | 'silent'

/** Always the same, or made for each request; `n` counts the requests from 1. */
export type Answering = PeerAnswer | ((request: PeerRequest, n: number) => PeerAnswer | Promise<PeerAnswer>)

/** A path without its query, a pattern found in it, or a function. */
export type PeerMatch = string | RegExp | ((request: PeerRequest) => boolean)

export interface HeldRequests extends Disposable {
  /** Those that wait now. */
  readonly requests: readonly PeerRequest[]
  /** They are answered, and later ones at once. */
  release(): void
}

export interface HttpPeerOptions {
  name?: string
  /** Default `{ body: {} }`. */
  answer?: Answering
  hosts?: readonly string[]
}

class Held implements HeldRequests {
  readonly requests: PeerRequest[] = []
  readonly match: (request: PeerRequest) => boolean
  readonly released: Promise<void>
  release!: () => void

  constructor(match: (request: PeerRequest) => boolean, over: (held: Held) => void) {
    this.match = match
    this.released = new Promise((resolve) => {
      this.release = () => {
        over(this)
        this.requests.length = 0
        resolve()
      }
    })
  }

  [Symbol.dispose](): void {
    this.release()
  }
}

/** A scripted HTTP server in the test's own process: it records, answers, holds, resets, says nothing. */
export class HttpPeer implements AsyncDisposable {
  readonly name: string
  readonly port: number
  /** Every request that arrived whole, in order. */
  readonly requests: PeerRequest[] = []
  /** May be changed at any time; a request is answered by what stands here when it is let go. */
  answer: Answering
  /** What an {@link answer} threw; the client got a 500. */
  failure: unknown
  readonly #hosts: readonly string[]
  readonly #held = new Set<Held>()
  #servers: Server[] = []

  constructor(
    { name = 'peer', answer = { body: {} }, hosts = ['127.0.0.1'] }: HttpPeerOptions,
    port: number,
  ) {
    this.name = name
    this.answer = answer
    this.port = port
    this.#hosts = hosts
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Requests for a path (its query left out), or those for which `match` holds. */
  received(match: PeerMatch): PeerRequest[] {
    return this.requests.filter(matcher(match))
  }

  /** Requests wait from now on, all or those that match. Two holds may stand at once; the older one is asked first. */
  hold(match: PeerMatch = () => true): HeldRequests {
    const held = new Held(matcher(match), (over) => this.#held.delete(over))
    this.#held.add(held)
    return held
  }

  /** Lets all that is held go. */
  release(): void {
    for (const held of this.#held) held.release()
  }

  /** Nothing listens any more, and standing connections are reset; {@link open} is on the same port. */
  refuse(): void {
    for (const server of this.#servers.splice(0)) {
      server.close()
      server.closeAllConnections()
    }
  }

  async open(): Promise<void> {
    if (this.#servers.length) return
    this.#servers = await Promise.all(this.#hosts.map((host) => this.#listen(host)))
  }

  close(): Promise<void> {
    this.refuse()
    this.release()
    return Promise.resolve()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #listen(host: string): Promise<Server> {
    const server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        this.failure ??= error
        if (!response.headersSent) response.writeHead(500)
        response.end()
      })
    })
    // Nothing may end a connection but the test: a kept one that the client believes alive must be alive.
    server.keepAliveTimeout = 0
    server.requestTimeout = 0
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port: this.port }, () => resolve(server))
    })
  }

  async #serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await receive(incoming, response)
    if (!request) return
    this.requests.push(request)
    const n = this.requests.length
    const held = [...this.#held].find(({ match }) => match(request))
    held?.requests.push(request)
    await held?.released
    const answer = typeof this.answer === 'function' ? await this.answer(request, n) : this.answer
    if (request.gone || answer === 'silent') return
    if (answer === 'reset') reset(incoming.socket)
    else await send(response, typeof answer === 'number' ? { status: answer } : answer)
  }
}

const pathOf = (request: PeerRequest) => request.path.split('?')[0] ?? ''

function matcher(match: PeerMatch): (request: PeerRequest) => boolean {
  if (typeof match === 'function') return match
  if (typeof match === 'string') return (request) => pathOf(request) === match
  return (request) => pathOf(request).search(match) >= 0
}

/** Undefined when the client broke off in the middle. */
async function receive(
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<PeerRequest | undefined> {
  const at = performance.timeOrigin + performance.now()
  const chunks: Buffer[] = []
  try {
    for await (const chunk of incoming) chunks.push(Buffer.from(chunk))
  } catch {
    // An upload that was broken off is no request.
    return undefined
  }
  const body = Buffer.concat(chunks)
  const text = body.toString('utf8')
  const { method = '', url: path = '', headers } = incoming
  const request: PeerRequest = { method, path, headers, body, text, json: parse(text), at, gone: false }
  response.once('close', () => (request.gone = !response.writableFinished))
  return request
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

async function send(response: ServerResponse, reply: PeerReply): Promise<void> {
  const { status = 200, headers = {}, half = false } = reply
  const length = reply.megabytes === undefined ? undefined : reply.megabytes * 1_000_000
  const { body, type } = encode(reply.body)
  const whole = length ?? body?.length ?? 0
  response.writeHead(status, { ...type, 'content-length': String(whole), ...headers })
  const sent = half ? Math.floor(whole / 2) : whole
  await (length === undefined ? write(response, body?.subarray(0, sent)) : pour(response, sent))
  if (half && response.socket) reset(response.socket)
  else response.end()
}

function encode(body: unknown): { body?: Buffer; type: Record<string, string> } {
  if (body === undefined) return { type: {} }
  if (typeof body === 'string') return { body: Buffer.from(body), type: {} }
  if (body instanceof Uint8Array) return { body: Buffer.from(body), type: {} }
  return { body: Buffer.from(JSON.stringify(body)), type: { 'content-type': 'application/json' } }
}

/** Settles when the bytes are with the system, so that a reset behind them doesn't take them along. */
function write(response: ServerResponse, bytes: Buffer | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (bytes?.length) response.write(bytes, () => resolve())
    else {
      response.flushHeaders()
      resolve()
    }
  })
}

async function pour(response: ServerResponse, length: number): Promise<void> {
  const chunk = Buffer.alloc(64 * 1024, 'x')
  for (let sent = 0; sent < length && !response.destroyed; sent += chunk.length) {
    await write(response, chunk.subarray(0, Math.min(chunk.length, length - sent)))
  }
}

/** Opens a scripted HTTP peer. */
export async function httpPeer(options: HttpPeerOptions = {}): Promise<HttpPeer> {
  const peer = new HttpPeer(options, await freePort(options.hosts))
  await peer.open()
  return peer
}
