import { framingByHeaders, HttpParser, type Framing, type HttpEvent, type HttpHead } from './http-parser.ts'
import { newExchange, type Observer, type Segment } from './observer.ts'
import type { Exchange } from './types.ts'

/** Pairs HTTP/1.1 requests with their answers: kept connections, pipelining, 1xx, HEAD, upgrades. */
export class HttpObserver implements Observer {
  readonly pending: Exchange[] = []
  readonly #requests = new HttpParser((head) => requestFraming(head))
  readonly #replies = new HttpParser((head) => this.#replyFraming(head))
  #interim = false

  request(chunk: Buffer): Segment[] {
    return this.#cut(chunk, this.#requests, (event, segment) => {
      if (event.kind === 'end') return
      segment.begins = exchangeOf(event.head)
      this.pending.push(segment.begins)
    })
  }

  reply(chunk: Buffer): Segment[] {
    return this.#cut(
      chunk,
      this.#replies,
      (event, segment) => {
        const exchange = segment.answers
        if (event.kind === 'head') {
          if (exchange && !this.#interim) exchange.status = Number(event.head.line[1])
        } else if (!this.#interim) {
          segment.completes = exchange !== undefined
          this.pending.shift()
        }
      },
      () => (this.#replies.plain ? undefined : this.pending[0]),
    )
  }

  replyEnd(): Exchange | undefined {
    return this.#replies.untilClose ? this.pending.shift() : undefined
  }

  #cut(
    chunk: Buffer,
    parser: HttpParser,
    note: (event: HttpEvent, segment: Segment) => void,
    answers: () => Exchange | undefined = () => undefined,
  ): Segment[] {
    const segments: Segment[] = []
    let from = 0
    let segment: Segment = { bytes: chunk, answers: answers(), inside: !parser.plain }
    for (const event of parser.feed(chunk)) {
      note(event, segment)
      if (event.kind !== 'end') continue
      segment.bytes = chunk.subarray(from, event.at)
      segments.push(segment)
      from = event.at
      segment = { bytes: chunk, answers: answers(), inside: !parser.plain }
    }
    if (from < chunk.length) segments.push({ ...segment, bytes: chunk.subarray(from) })
    return segments
  }

  #replyFraming(head: HttpHead): Framing {
    const status = Number(head.line[1])
    const request = this.pending[0]
    const upgraded = status === 101 || (request?.method === 'CONNECT' && status >= 200 && status < 300)
    this.#interim = status >= 100 && status < 200 && !upgraded
    if (this.#interim) return 'none'
    if (request && (upgraded || asksUpgrade(request.headers, request.method))) this.#requests.decide(upgraded)
    if (upgraded) return 'plain'
    if (request?.method === 'HEAD' || status === 204 || status === 304) return 'none'
    return framingByHeaders(head.headers) ?? 'until-close'
  }
}

const asksUpgrade = (headers: Readonly<Record<string, string>>, method: string) =>
  method === 'CONNECT' || (headers.upgrade !== undefined && /\bupgrade\b/i.test(headers.connection ?? ''))

function requestFraming({ line, headers }: HttpHead): Framing {
  // The connection waits for the target's word, whatever the body is: nobody upgrades with one.
  if (asksUpgrade(headers, line[0])) return 'unparsed'
  return framingByHeaders(headers) ?? 'none'
}

function exchangeOf({ line, headers }: HttpHead): Exchange {
  return newExchange({ text: `${line[0]} ${line[1]}`, method: line[0], path: line[1], headers })
}
