/** A message of the PostgreSQL protocol, told when its last byte has come. */
export interface PostgresMessage {
  /** `Q`, `P`, `S`, `Z`, …; of the untyped first messages `startup`, `encryption` or `cancel`. */
  type: string
  /** The beginning of its body. */
  body: Buffer
  /** Offset in the fed chunk just behind it. */
  at: number
}

const KEPT = 4096
const ENCRYPTION = new Set([80877103, 80877104])
const CANCEL = 80877102
/** The server takes no longer first packet; a TLS hello read as a length is far above. */
const LONGEST_STARTUP = 10_000

/**
 * Finds the messages in one direction of a Postgres connection that is cut into chunks anywhere. Bytes that can't be
 * the protocol (TLS) make it say nothing more.
 */
export class PostgresParser {
  /** Length and code, or type and length, and then the kept beginning of the body. */
  #head: Buffer = Buffer.alloc(0)
  #left = 0
  #inBody = false
  #type = ''
  #typed: boolean
  plain = false

  /** The client's side begins with messages that have no type byte. */
  constructor(side: 'client' | 'server') {
    this.#typed = side === 'server'
  }

  feed(chunk: Buffer, from = 0): PostgresMessage[] {
    const messages: PostgresMessage[] = []
    let at = from
    while (at < chunk.length && !this.plain) {
      if (!this.#inBody) {
        const wanted = (this.#typed ? 5 : 8) - this.#head.length
        this.#head = Buffer.concat([this.#head, chunk.subarray(at, at + wanted)])
        at = Math.min(chunk.length, at + wanted)
        if (this.#head.length < (this.#typed ? 5 : 8)) break
        this.#begin()
      } else {
        const taken = Math.min(this.#left, chunk.length - at)
        const room = KEPT - this.#head.length
        if (room > 0) this.#head = Buffer.concat([this.#head, chunk.subarray(at, at + Math.min(room, taken))])
        this.#left -= taken
        at += taken
      }
      if (this.#inBody && this.#left === 0) {
        messages.push({ type: this.#type, body: this.#head, at })
        this.#inBody = false
        this.#head = Buffer.alloc(0)
      }
    }
    return messages
  }

  #begin(): void {
    const length = this.#typed ? this.#head.readUInt32BE(1) : this.#head.readUInt32BE(0)
    if (this.#typed) {
      this.#type = String.fromCharCode(this.#head[0]!)
      this.#left = length - 4
    } else {
      const code = this.#head.readUInt32BE(4)
      this.#type = ENCRYPTION.has(code) ? 'encryption' : code === CANCEL ? 'cancel' : 'startup'
      this.#left = length - 8
      if (length > LONGEST_STARTUP) this.plain = true
      if (this.#type === 'startup') this.#typed = true
    }
    if (this.#left < 0) this.plain = true
    this.#head = Buffer.alloc(0)
    this.#inBody = true
  }
}

/** The zero-terminated strings at the beginning of a body. */
export function strings(body: Buffer, count: number): string[] {
  const found: string[] = []
  let at = 0
  while (found.length < count) {
    const end = body.indexOf(0, at)
    found.push(body.toString('utf8', at, end < 0 ? body.length : end))
    if (end < 0) break
    at = end + 1
  }
  return found
}
