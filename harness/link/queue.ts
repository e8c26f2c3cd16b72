import type { Socket } from 'node:net'
import type { Capacity, Rate } from './capacity.ts'
import type { Segment } from './observer.ts'
import { now, type Direction } from './types.ts'

/** What travels in one direction: bytes, the end of a side, or a reset. They never overtake one another. */
export interface Piece {
  kind: 'bytes' | 'end' | 'reset'
  segment: Segment
  /** When it came to the link. */
  arrived: number
  /** This piece's share of the delay's jitter, -1 to 1. */
  jitter: number
  searched?: boolean
  hooked?: 'running' | 'done'
  slot?: { of: Capacity; at: number }
  pace?: { of: Rate; at: number }
}

const HIGH_WATER = 1024 * 1024
const LOW_WATER = HIGH_WATER / 4

/** Timers are no finer; what is due this soon is due now. The clocks of capacity and rate lose nothing by it. */
const TICK = 0.5

export interface QueueOptions {
  direction: Direction
  source: Socket
  sink: Socket
  /** How long the first piece has to wait; Infinity: until {@link OrderedQueue.pump} is called again. */
  wait: (piece: Piece, queue: OrderedQueue) => number
  /** The longest piece that may pass at once. */
  slice: () => number
  deliver: (piece: Piece) => void
}

/** The one ordered queue of a direction of a connection. What is not allowed to pass waits here, within bounds. */
export class OrderedQueue {
  readonly direction: Direction
  /** Bytes that wait. */
  held = 0
  /** When the piece before the first left, or could go on: by the clocks of capacity and rate, not by timers. */
  left = 0
  readonly #pieces: Piece[] = []
  readonly #options: QueueOptions
  #timer: NodeJS.Timeout | undefined
  #stalled = false
  #pumping = false
  #closed = false

  constructor(options: QueueOptions) {
    this.#options = options
    this.direction = options.direction
    options.sink.on('drain', () => {
      this.#stalled = false
      this.left = now()
      this.pump()
    })
  }

  get empty(): boolean {
    return this.#pieces.length === 0
  }

  push(kind: Piece['kind'], segment: Segment): void {
    if (this.#closed) return
    const piece: Piece = { kind, segment, arrived: now(), jitter: Math.random() * 2 - 1 }
    this.#pieces.push(piece)
    this.held += segment.bytes.length
    // Who does not read hears of a reset all the same.
    if (kind === 'reset' && this.#stalled) this.#stalled = false
    this.pump()
    if (this.held > HIGH_WATER) this.#options.source.pause()
  }

  /** Delivers whatever may pass now. */
  pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    clearTimeout(this.#timer)
    const { sink, source } = this.#options
    const corked = this.#pieces.length > 1
    if (corked) sink.cork()
    while (!this.#closed && !this.#stalled && this.#pieces.length > 0) {
      this.#cut(this.#options.slice())
      const piece = this.#pieces[0]!
      const wait = this.#options.wait(piece, this)
      if (wait > TICK) {
        if (wait !== Infinity) this.#timer = setTimeout(() => this.pump(), wait)
        break
      }
      this.#pieces.shift()
      this.held -= piece.segment.bytes.length
      this.left = Math.max(this.left, piece.slot?.at ?? 0, piece.pace?.at ?? 0)
      this.#options.deliver(piece)
      this.#stalled = piece.kind === 'bytes' && sink.writableNeedDrain && !this.#resetWaits()
    }
    if (corked) sink.uncork()
    this.#pumping = false
    if (!this.#closed && this.held < LOW_WATER && source.isPaused()) source.resume()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#pieces.length = 0
    this.held = 0
  }

  #resetWaits(): boolean {
    return this.#pieces.at(-1)?.kind === 'reset'
  }

  /** Cuts the first piece in two if it is longer than may pass at once. */
  #cut(slice: number): void {
    const piece = this.#pieces[0]!
    const { bytes, answers, completes } = piece.segment
    if (bytes.length <= slice) return
    this.#pieces.unshift({
      ...piece,
      segment: { ...piece.segment, bytes: bytes.subarray(0, slice), completes: false },
    })
    this.#pieces[1] = {
      ...piece,
      hooked: 'done',
      slot: undefined,
      pace: undefined,
      segment: { bytes: bytes.subarray(slice), answers, completes },
    }
  }
}
