import type { Capacity, Rate } from './capacity.ts'
import type { OrderedQueue, Piece } from './queue.ts'
import type { TextWatch } from './watch.ts'
import { now, type Direction, type Passing } from './types.ts'

export interface HookEntry {
  direction: Direction
  fn: (passing: Passing) => void | Promise<void>
}

/** What the gate knows of a connection: whether it alone is held, and what is being looked for in it. */
export interface Gated {
  readonly holds: Record<Direction, number>
  readonly tails: Map<TextWatch, Buffer>
}

/** All that stands between a piece and its way on: the state that a link's verbs change. */
export class Gate {
  black = false
  readonly holds: Record<Direction, boolean> = { request: false, reply: false }
  delays: Record<Direction, { ms: number; jitter: number }> = noDelay()
  rates: Record<Direction, Rate | undefined> = { request: undefined, reply: undefined }
  capacity: Capacity | undefined
  readonly watches = new Set<TextWatch>()
  readonly hooks = new Set<HookEntry>()
  /** When something was last let go: what waited for it was not ready before. */
  freed = 0
  readonly #fail: (error: unknown) => void

  constructor(fail: (error: unknown) => void) {
    this.#fail = fail
  }

  slice(direction: Direction): number {
    return this.rates[direction]?.slice ?? Infinity
  }

  /** How long a piece has to wait; Infinity: until something changes. Cheap when nothing is set. */
  wait(piece: Piece, queue: OrderedQueue, connection: Gated): number {
    const { direction } = queue
    if (this.black || this.holds[direction] || connection.holds[direction] > 0) return Infinity
    const { ms, jitter } = this.delays[direction]
    const due = piece.arrived + (ms ? Math.max(0, ms + piece.jitter * jitter) : 0)
    if (ms && due > now()) return due - now()
    if (piece.kind !== 'bytes') return 0
    if (this.watches.size && !piece.searched) {
      piece.searched = true
      for (const watch of this.watches) watch.look(piece, direction, connection)
      if (connection.holds[direction] > 0) return Infinity
    }
    if (this.hooks.size && piece.hooked !== 'done' && this.#hook(piece, queue)) return Infinity
    const ready = Math.max(due, queue.left, this.freed)
    if (this.capacity && piece.segment.begins && direction === 'request') {
      if (piece.slot?.of !== this.capacity) piece.slot = { of: this.capacity, at: this.capacity.take(ready) }
      const wait = piece.slot.at - now()
      if (wait > 0) return wait
    }
    const rate = this.rates[direction]
    if (!rate) return 0
    if (piece.pace?.of !== rate) piece.pace = { of: rate, at: rate.take(piece.segment.bytes.length, ready) }
    return piece.pace.at - now()
  }

  /** Runs the hooks that this piece concerns; true while they run. */
  #hook(piece: Piece, queue: OrderedQueue): boolean {
    if (piece.hooked === 'running') return true
    const { direction } = queue
    const { begins, answers, bytes, inside } = piece.segment
    const hooks = [...this.hooks].filter((hook) => hook.direction === direction)
    if (hooks.length === 0 || (direction === 'request' && inside && !begins)) return false
    piece.hooked = 'running'
    const run = async () => {
      for (const hook of hooks) await hook.fn({ direction, bytes, request: begins ?? answers })
    }
    void run()
      .catch(this.#fail)
      .finally(() => {
        piece.hooked = 'done'
        queue.left = now()
        queue.pump()
      })
    return true
  }
}

export const noDelay = (): Gate['delays'] => ({ request: { ms: 0, jitter: 0 }, reply: { ms: 0, jitter: 0 } })
