import type { Gated } from './gate.ts'
import type { Piece } from './queue.ts'
import type { Direction, HoldOn } from './types.ts'

/** How much of what went before is searched again with a pattern that may lie over two pieces. */
const TAIL = 4096

/** Looks for a text in one direction and, when it passes, holds that connection in a direction from there on. */
export class TextWatch implements HoldOn {
  readonly held: Promise<void>
  isHeld = false
  readonly #text: string | RegExp
  readonly #seen: Direction
  readonly #holds: Direction
  readonly #changed: () => void
  #settle!: () => void
  #held: Gated | undefined
  #over = false

  constructor(text: string | RegExp, seen: Direction, holds: Direction, changed: () => void) {
    this.#text = text
    this.#seen = seen
    this.#holds = holds
    this.#changed = changed
    this.held = new Promise((resolve) => (this.#settle = resolve))
  }

  look(piece: Piece, direction: Direction, connection: Gated): void {
    if (direction !== this.#seen || this.isHeld || this.#over) return
    const tail = connection.tails.get(this)
    const bytes = tail ? Buffer.concat([tail, piece.segment.bytes]) : piece.segment.bytes
    if (this.#found(bytes)) {
      this.isHeld = true
      this.#held = connection
      connection.tails.delete(this)
      connection.holds[this.#holds]++
      this.#settle()
    } else connection.tails.set(this, Buffer.from(bytes.subarray(-TAIL)))
  }

  release(): void {
    if (this.#over) return
    this.#over = true
    this.isHeld = false
    if (this.#held) this.#held.holds[this.#holds]--
    this.#changed()
  }

  [Symbol.dispose](): void {
    this.release()
  }

  #found(bytes: Buffer): boolean {
    return typeof this.#text === 'string'
      ? bytes.includes(this.#text)
      : bytes.toString('utf8').search(this.#text) >= 0
  }
}
