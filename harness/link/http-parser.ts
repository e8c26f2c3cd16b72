/** The first line and the headers of a message. */
export interface HttpHead {
  /** `GET /path HTTP/1.1` or `HTTP/1.1 200 OK`, split at the first two spaces. */
  line: [string, string, string]
  headers: Record<string, string>
}

/**
 * How the body after a head is framed. `unparsed`: bytes follow that mean nothing to us until {@link HttpParser.decide}
 * (an upgrade was asked for); `plain`: for ever.
 */
export type Framing = 'none' | 'chunked' | 'until-close' | 'unparsed' | 'plain' | { length: number }

/** `at` is the offset in the fed chunk just behind the head, or behind the whole message. */
export type HttpEvent = { kind: 'head'; at: number; head: HttpHead } | { kind: 'end'; at: number }

type State = 'head' | 'length' | 'size' | 'data' | 'trailer' | 'until-close' | 'unparsed' | 'plain'

const LONGEST_HEAD = 256 * 1024
const CR = 13
const LF = 10

/**
 * Finds where HTTP/1.1 messages begin and end in a stream that is cut into chunks anywhere. It only watches: what it
 * can't read (another protocol, a malformed head) makes it say nothing more.
 */
export class HttpParser {
  #state: State = 'head'
  /** The beginning of a head or line whose end has not come yet. */
  #partial: Buffer = Buffer.alloc(0)
  #left = 0
  readonly #framing: (head: HttpHead) => Framing

  constructor(framing: (head: HttpHead) => Framing) {
    this.#framing = framing
  }

  /** Nothing can be told of these bytes any more. */
  get plain(): boolean {
    return this.#state === 'plain' || this.#state === 'unparsed'
  }

  /** In the middle of a body that ends with its connection. */
  get untilClose(): boolean {
    return this.#state === 'until-close'
  }

  /** The upgrade that was asked for was granted, or not. */
  decide(upgraded: boolean): void {
    if (upgraded) this.#state = 'plain'
    else if (this.#state === 'unparsed') this.#state = 'head'
  }

  /** One by one, because how a reply is framed depends on which request it answers. */
  *feed(chunk: Buffer): Generator<HttpEvent, void> {
    let at = 0
    while (at < chunk.length) {
      const events: HttpEvent[] = []
      at = this.#step(chunk, at, events)
      yield* events
    }
  }

  /** Consumes some bytes from `at` on; returns the offset behind them. */
  #step(chunk: Buffer, at: number, events: HttpEvent[]): number {
    switch (this.#state) {
      case 'head':
        return this.#head(chunk, at, events)
      case 'length':
      case 'data': {
        const taken = Math.min(this.#left, chunk.length - at)
        this.#left -= taken
        if (this.#left === 0) {
          if (this.#state === 'data') this.#state = 'size'
          else this.#end(at + taken, events)
        }
        return at + taken
      }
      case 'size':
      case 'trailer':
        return this.#line(chunk, at, events)
      default:
        return chunk.length
    }
  }

  #head(chunk: Buffer, at: number, events: HttpEvent[]): number {
    if (this.#partial.length === 0) {
      // Empty lines before a message are allowed and mean nothing (RFC 9112 §2.2).
      while (at < chunk.length && (chunk[at] === CR || chunk[at] === LF)) at++
      if (at === chunk.length) return at
    }
    const before = this.#partial.length
    const seen = before ? Buffer.concat([this.#partial, chunk.subarray(at)]) : chunk.subarray(at)
    const end = headEnd(seen)
    if (end < 0) {
      this.#partial = Buffer.from(seen)
      if (seen.length > LONGEST_HEAD) this.#give()
      return chunk.length
    }
    this.#partial = Buffer.alloc(0)
    const head = parseHead(seen.toString('latin1', 0, end))
    if (!head) {
      this.#give()
      return chunk.length
    }
    const behind = at + end - before
    events.push({ kind: 'head', at: behind, head })
    this.#body(this.#framing(head), behind, events)
    return behind
  }

  #body(framing: Framing, at: number, events: HttpEvent[]): void {
    if (framing === 'chunked') this.#state = 'size'
    else if (framing === 'until-close') this.#state = 'until-close'
    else if (typeof framing === 'object' && framing.length > 0) {
      this.#state = 'length'
      this.#left = framing.length
    } else {
      this.#end(at, events)
      if (framing === 'plain') this.#state = 'plain'
      if (framing === 'unparsed') this.#state = 'unparsed'
    }
  }

  #line(chunk: Buffer, at: number, events: HttpEvent[]): number {
    const lf = chunk.indexOf(LF, at)
    const piece = chunk.subarray(at, lf < 0 ? chunk.length : lf)
    const bytes = this.#partial.length ? Buffer.concat([this.#partial, piece]) : piece
    if (lf < 0) {
      this.#partial = Buffer.from(bytes)
      if (bytes.length > LONGEST_HEAD) this.#give()
      return chunk.length
    }
    this.#partial = Buffer.alloc(0)
    const line = bytes.toString('latin1').trim()
    if (this.#state === 'trailer') {
      if (line === '') this.#end(lf + 1, events)
    } else if (!/^[0-9a-f]+\s*(;|$)/i.test(line)) this.#give()
    else {
      const size = Number.parseInt(line, 16)
      this.#state = size === 0 ? 'trailer' : 'data'
      this.#left = size + 2
    }
    return lf + 1
  }

  #end(at: number, events: HttpEvent[]): void {
    this.#state = 'head'
    events.push({ kind: 'end', at })
  }

  #give(): void {
    this.#partial = Buffer.alloc(0)
    this.#state = 'plain'
  }
}

/** The offset behind the blank line that ends a head, or -1. */
function headEnd(bytes: Buffer): number {
  const crlf = bytes.indexOf('\n\r\n')
  const lf = bytes.indexOf('\n\n')
  if (crlf < 0) return lf < 0 ? -1 : lf + 2
  return lf >= 0 && lf < crlf ? lf + 2 : crlf + 3
}

function parseHead(text: string): HttpHead | undefined {
  const [first = '', ...rest] = text.split(/\r?\n/)
  const line = /^(\S+) (\S+)(?: (.*))?$/.exec(first)
  if (!line || !/^HTTP\/1\.\d$/.test(first.startsWith('HTTP/') ? line[1]! : (line[3] ?? ''))) return undefined
  const headers: Record<string, string> = {}
  for (const header of rest) {
    const colon = header.indexOf(':')
    if (colon < 1) continue
    const name = header.slice(0, colon).trim().toLowerCase()
    const value = header.slice(colon + 1).trim()
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  return { line: [line[1]!, line[2]!, line[3] ?? ''], headers }
}

/** How a body is framed by its headers alone; `undefined` where they say nothing. */
export function framingByHeaders(headers: Record<string, string>): Framing | undefined {
  if (/(^|,)\s*chunked\s*$/i.test(headers['transfer-encoding'] ?? '')) return 'chunked'
  const length = Number.parseInt(headers['content-length'] ?? '', 10)
  return Number.isNaN(length) ? undefined : { length }
}
