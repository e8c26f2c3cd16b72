import { appendFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { lab } from '../context.ts'
import { now } from '../timeline.ts'

/** What of a role's output is kept: a service that floods its log must not fill the learner's disk, or our memory. */
const MOST_BYTES = 4 * 1024 * 1024
/** Longer ones are cut in two. */
const LONGEST_LINE = 64 * 1024

/** Where an instance of this name writes. Two threads may each have one of that name at the same time. */
export function logFile(name: string): string {
  const { runDir, lane } = lab()
  return join(runDir, lane === 1 ? `${name}.log` : `${name}.${lane}.log`)
}

/** The output of one role: its last lines in memory for the tests, its first megabytes in a file for the learner. */
export class Output {
  /** Bytes of earlier lines that are no longer in memory. */
  dropped = 0
  /** Bytes that came in, over all starts. */
  total = 0
  readonly #file: string
  readonly #lines: string[] = []
  /** When each of them came, epoch milliseconds. */
  readonly #came: number[] = []
  #kept = 0
  #written: number
  #partial = ''

  constructor(file: string) {
    this.#file = file
    // Every instance of a role writes to the same file.
    this.#written = statSync(file, { throwIfNoEntry: false })?.size ?? 0
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

  /** The last lines, of those that came `since` then. */
  tail(count: number, since = 0): string[] {
    const older = this.#came.findLastIndex((at) => at < since) + 1
    const last = this.lines.slice(older).slice(-count)
    return this.dropped > 0 && older === 0 ? [`(${this.dropped} earlier bytes, not kept)`, ...last] : last
  }

  #take(chunk: string): void {
    this.total += chunk.length
    this.#write(chunk)
    const parts = (this.#partial + chunk).split('\n')
    this.#partial = parts.pop() ?? ''
    if (this.#partial.length > LONGEST_LINE) {
      parts.push(this.#partial)
      this.#partial = ''
    }
    const at = now()
    for (const line of parts) {
      this.#lines.push(line)
      this.#came.push(at)
      this.#kept += line.length + 1
    }
    if (this.#kept > MOST_BYTES) this.#forget()
  }

  /** Drops the older half, so that a flood does not shift the whole list for every line. */
  #forget(): void {
    let bytes = 0
    let lines = 0
    while (bytes < MOST_BYTES / 2 && lines < this.#lines.length) bytes += this.#lines[lines++]!.length + 1
    this.#lines.splice(0, lines)
    this.#came.splice(0, lines)
    this.#kept -= bytes
    this.dropped += bytes
  }

  #write(chunk: string): void {
    if (this.#written > MOST_BYTES) return
    this.#written += chunk.length
    const end = this.#written > MOST_BYTES ? `\n(more than ${MOST_BYTES} bytes: the rest is not kept)\n` : ''
    appendFileSync(this.#file, chunk + end)
  }
}
