import { newExchange, type Observer, type Segment } from './observer.ts'
import { RespParser, type RespValue } from './redis-parser.ts'
import type { Exchange } from './types.ts'

/** What a RESP2 connection hears without having asked; RESP3 has a type of its own for it. */
const PUSHES = /^(p|s)?(message|subscribe|unsubscribe)$|^invalidate$/

/** Answered by pushes, as many as there are channels. */
const SUBSCRIBING = /^(p|s)?(un)?subscribe$/i

/** What follows is no sequence of commands and replies any more. */
const STREAMING = /^(psync|sync|monitor)$/i

/** Pairs Redis commands with their replies: pipelines, inline commands, pushes in between. */
export class RedisObserver implements Observer {
  readonly pending: Exchange[] = []
  readonly #commands = new RespParser('client')
  readonly #replies = new RespParser('server')
  #streaming = false

  request(chunk: Buffer): Segment[] {
    const segments: Segment[] = []
    let from = 0
    for (const command of this.#commands.feed(chunk)) {
      const begins = exchangeOf(command)
      segments.push({ bytes: chunk.subarray(from, command.at), begins })
      from = command.at
      if (!SUBSCRIBING.test(begins.method)) this.pending.push(begins)
      if (STREAMING.test(begins.method)) this.#streaming = true
    }
    if (from < chunk.length) segments.push({ bytes: chunk.subarray(from), inside: !this.#commands.plain })
    return segments
  }

  reply(chunk: Buffer): Segment[] {
    const segments: Segment[] = []
    let from = 0
    for (const reply of this.#replies.feed(chunk)) {
      const answers = isPush(reply) ? undefined : this.pending.shift()
      segments.push({ bytes: chunk.subarray(from, reply.at), answers, completes: answers !== undefined })
      from = reply.at
      // The +OK of MONITOR and the first word of a replication stream are still replies.
      if (this.#streaming && this.pending.length === 0) this.#replies.plain = true
    }
    if (from < chunk.length) segments.push({ bytes: chunk.subarray(from), answers: this.pending[0] })
    return segments
  }

  replyEnd(): undefined {
    return undefined
  }
}

const isPush = ({ type, words }: RespValue) => type === '>' || (type === '*' && PUSHES.test(words[0] ?? ''))

function exchangeOf({ words }: RespValue): Exchange {
  return newExchange({ text: words.join(' '), method: (words[0] ?? '').toUpperCase() })
}
