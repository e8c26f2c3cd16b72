/** Random values that a seed repeats: the same seed gives the same inputs and interleavings. */
export class Random {
  #state: number

  /** @param seed any integer; mixed with `stream`, so that two tests draw independently of each other's order */
  constructor(seed: number, stream = '') {
    this.#state = seed >>> 0
    for (const char of stream)
      this.#state = (Math.imul(this.#state ^ char.codePointAt(0)!, 0x01000193) + 1) >>> 0
  }

  /** 0 ≤ x < 1. mulberry32 by Tommy Ettinger, public domain. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  /** An integer, both ends included. */
  int(from: number, to: number): number {
    return from + Math.floor(this.next() * (to - from + 1))
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)]!
  }

  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.int(0, i)
      ;[shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!]
    }
    return shuffled
  }

  /** Lower-case letters. */
  word(length = 8): string {
    return Array.from({ length }, () => String.fromCharCode(97 + this.int(0, 25))).join('')
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.int(0, 255)))
  }
}
