/** A whole command or reply of the Redis protocol, told when its last byte has come. */
export interface RespValue {
  /** The first byte: `*`, `+`, `$`, `>`, …; `inline` for a command written as a line. */
  type: string
  /** The first scalars in it, shortened. */
  words: string[]
  /** Offset in the fed chunk just behind it. */
  at: number
}

/** A script's arguments count as well, so that a test can name the command that it means. */
const KEPT_WORDS = 64
const KEPT_BYTES = 4096
const LONGEST_LINE = 64 * 1024
const LINES = '+-:_,#('
const BULKS = '$=!'
const LISTS = '*~>%|'

/**
 * Finds the values in one direction of a RESP2 or RESP3 connection that is cut into chunks anywhere. Bytes that can't
 * be the protocol (replication, TLS) make it say nothing more.
 */
export class RespParser {
  plain = false
  readonly #commands: boolean
  readonly #keptWords: number
  #line: Buffer = Buffer.alloc(0)
  /** Bytes of a bulk string that are still to come, its line end included; -1 outside of one. */
  #left = -1
  #word: Buffer = Buffer.alloc(0)
  /** How many elements are still to come of each list that is open. */
  #open: number[] = []
  #type = ''
  #words: string[] = []

  /** Commands may be inline: a line of words. */
  constructor(side: 'client' | 'server') {
    this.#commands = side === 'client'
    this.#keptWords = this.#commands ? KEPT_WORDS : 1
  }

  feed(chunk: Buffer): RespValue[] {
    const values: RespValue[] = []
    let at = 0
    while (at < chunk.length && !this.plain) {
      at = this.#left >= 0 ? this.#bulk(chunk, at, values) : this.#header(chunk, at, values)
    }
    return values
  }

  #bulk(chunk: Buffer, at: number, values: RespValue[]): number {
    const taken = Math.min(this.#left, chunk.length - at)
    const room = KEPT_BYTES - this.#word.length
    if (room > 0 && this.#words.length < this.#keptWords) {
      this.#word = Buffer.concat([this.#word, chunk.subarray(at, at + Math.min(taken, room))])
    }
    this.#left -= taken
    if (this.#left === 0) {
      this.#left = -1
      this.#scalar(this.#word.toString('utf8').replace(/\r?\n?$/, ''), at + taken, values)
      this.#word = Buffer.alloc(0)
    }
    return at + taken
  }

  #header(chunk: Buffer, at: number, values: RespValue[]): number {
    const lf = chunk.indexOf(10, at)
    const piece = chunk.subarray(at, lf < 0 ? chunk.length : lf)
    const bytes = this.#line.length ? Buffer.concat([this.#line, piece]) : piece
    if (lf < 0) {
      this.#line = Buffer.from(bytes)
      if (bytes.length > LONGEST_LINE) this.plain = true
      return chunk.length
    }
    this.#line = Buffer.alloc(0)
    this.#take(bytes.toString('utf8').replace(/\r$/, ''), lf + 1, values)
    return lf + 1
  }

  #take(line: string, at: number, values: RespValue[]): void {
    const type = line[0] ?? ''
    const top = this.#open.length === 0
    if (top && this.#commands && type !== '*') {
      const words = line.trim().split(/\s+/)
      if (words[0]) values.push({ type: 'inline', words: words.slice(0, KEPT_WORDS), at })
      return
    }
    if (top && this.#type === '') this.#type = type
    const size = Number(line.slice(1))
    if (type !== '' && LINES.includes(type)) this.#scalar(line.slice(1), at, values)
    else if (!Number.isInteger(size) || line.length < 2) this.plain = true
    else if (BULKS.includes(type)) {
      if (size < 0) this.#scalar('', at, values)
      else this.#left = size + 2
    } else if (LISTS.includes(type)) this.#list(type, size, at, values)
    else this.plain = true
  }

  #list(type: string, size: number, at: number, values: RespValue[]): void {
    // An attribute stands before the value that it belongs to and is not one itself.
    const elements = type === '%' ? size * 2 : type === '|' ? size * 2 + 1 : Math.max(0, size)
    if (type === '|' && this.#open.length === 0) this.#type = ''
    if (elements === 0) this.#scalar('', at, values)
    else this.#open.push(elements)
  }

  #scalar(word: string, at: number, values: RespValue[]): void {
    if (this.#words.length < this.#keptWords) this.#words.push(word.slice(0, KEPT_BYTES))
    while (this.#open.length) {
      const left = this.#open.pop()! - 1
      if (left > 0) {
        this.#open.push(left)
        return
      }
    }
    values.push({ type: this.#type, words: this.#words, at })
    this.#type = ''
    this.#words = []
  }
}
