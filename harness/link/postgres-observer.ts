import { newExchange, type Observer, type Segment } from './observer.ts'
import { PostgresParser, strings, type PostgresMessage } from './postgres-parser.ts'
import type { Exchange } from './types.ts'

/** Messages that make the server work. The first since the last Query or Sync begins a request. */
const WORK = new Set(['Q', 'F', 'P', 'B', 'D', 'E', 'C', 'S'])
/** Messages after which the server says that it is ready again. */
const CLOSES = new Set(['Q', 'F', 'S'])

/**
 * Requests of a Postgres connection. A request is a Query, or everything up to and including a Sync; its answer ends
 * with ReadyForQuery.
 */
export class PostgresObserver implements Observer {
  readonly pending: Exchange[] = []
  readonly #client = new PostgresParser('client')
  readonly #server = new PostgresParser('server')
  /** SQL by the name of the prepared statement. */
  readonly #prepared = new Map<string, string>()
  #inside = false
  #encryption = 0

  request(chunk: Buffer): Segment[] {
    const segments: Segment[] = []
    let from = 0
    let begins: Exchange | undefined
    for (const message of this.#client.feed(chunk)) {
      if (message.type === 'encryption') this.#encryption++
      if (message.type === 'cancel') this.#client.plain = this.#server.plain = true
      if (!WORK.has(message.type)) continue
      if (!this.#inside) {
        begins = this.#begin(message)
        this.pending.push(begins)
      } else if (message.type === 'P') this.#text(message)
      this.#inside = !CLOSES.has(message.type)
      if (this.#inside) continue
      segments.push({ bytes: chunk.subarray(from, message.at), begins, inside: true })
      from = message.at
      begins = undefined
    }
    if (from < chunk.length)
      segments.push({ bytes: chunk.subarray(from), begins, inside: !this.#client.plain })
    return segments
  }

  reply(chunk: Buffer): Segment[] {
    const segments: Segment[] = []
    let from = 0
    if (this.#encryption > 0) {
      // The answer to a request for encryption is one byte: S or G and the rest is encrypted, N and it is not.
      this.#encryption--
      if (chunk[0] === 0x4e) from = 1
      else this.#client.plain = this.#server.plain = true
      segments.push({ bytes: chunk.subarray(0, from || undefined) })
      if (from === 0 || chunk.length === 1) return segments
    }
    for (const message of this.#server.feed(chunk, from)) {
      if (message.type !== 'Z') continue
      const answers = this.pending.shift()
      segments.push({ bytes: chunk.subarray(from, message.at), answers, completes: answers !== undefined })
      from = message.at
    }
    if (from < chunk.length) segments.push({ bytes: chunk.subarray(from), answers: this.pending[0] })
    return segments
  }

  replyEnd(): undefined {
    return undefined
  }

  #begin(message: PostgresMessage): Exchange {
    return newExchange({ text: this.#text(message), method: message.type })
  }

  #text({ type, body }: PostgresMessage): string {
    if (type === 'Q') return strings(body, 1)[0] ?? ''
    if (type === 'P') {
      const [name = '', sql = ''] = strings(body, 2)
      this.#prepared.set(name, sql)
      return sql
    }
    if (type === 'B') return this.#prepared.get(strings(body, 2)[1] ?? '') ?? ''
    return type === 'S' ? 'Sync' : ''
  }
}
