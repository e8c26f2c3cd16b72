import { appendFileSync } from 'node:fs'
import type { Readable } from 'node:stream'

/** What of a role's output is kept: a service that floods its log must not fill the learner's disk. */
const MOST_BYTES = 4 * 1024 * 1024
const MOST_LINES = 20_000

/** The output of one role: in memory for the tests, in a file for the learner. */
export class Output {
  /** Bytes beyond what is kept. */
  dropped = 0
  readonly #file: string
  readonly #lines: string[] = []
  #bytes = 0
  #partial = ''

  constructor(file: string) {
    this.#file = file
  }

  follow(stream: Readable): void {
    stream.setEncoding('utf8')
    stream.on('data', (chunk: string) => this.#take(chunk))
    stream.on('error', () => {}) // the process is gone, and what it said is kept
  }

  /** All complete lines so far, and the one that is being written. */
  get lines(): readonly string[] {
    return this.#partial ? [...this.#lines, this.#partial] : this.#lines
  }

  tail(count: number): string[] {
    const last = this.lines.slice(-count)
    return this.dropped > 0 ? [...last, `(${this.dropped} more bytes, not kept)`] : last
  }

  #take(chunk: string): void {
    this.#bytes += chunk.length
    if (this.#bytes > MOST_BYTES) {
      this.dropped += chunk.length
      return
    }
    appendFileSync(this.#file, chunk)
    const parts = (this.#partial + chunk).split('\n')
    this.#partial = parts.pop() ?? ''
    this.#lines.push(...parts)
    if (this.#lines.length > MOST_LINES) this.#lines.splice(0, MOST_LINES / 10)
  }
}
