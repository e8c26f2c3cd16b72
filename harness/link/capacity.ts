/** So many at a time, so long each. */
export interface CapacityLimit {
  slots: number
  ms: number
}

/**
 * What a node can carry. Each request takes the slot that is free first for `ms` and is forwarded then. Time is counted
 * on a clock of its own, from the moment at which a request was ready, so the rate is exact although timers are late.
 * Give the same one to several links that lead to one node.
 */
export class Capacity {
  readonly slots: number
  readonly ms: number
  /** Requests that have taken a slot. */
  taken = 0
  readonly #free: number[]

  constructor({ slots, ms }: CapacityLimit) {
    if (!(slots >= 1) || !(ms >= 0))
      throw new RangeError(`capacity needs slots ≥ 1 and ms ≥ 0, not ${slots} × ${ms} ms`)
    this.slots = slots
    this.ms = ms
    this.#free = Array.from({ length: slots }, () => -Infinity)
  }

  /** Takes a slot for a request that has been ready since then; returns when it may pass. */
  take(ready: number): number {
    this.taken++
    let first = 0
    for (let slot = 1; slot < this.#free.length; slot++) {
      if (this.#free[slot]! < this.#free[first]!) first = slot
    }
    const at = Math.max(ready, this.#free[first]!) + this.ms
    this.#free[first] = at
    return at
  }
}

/** So many bytes a second, shared by all connections of a link in one direction. */
export class Rate {
  readonly bytesPerSecond: number
  /** Longer pieces are cut up, so that the bytes flow instead of coming in lumps. */
  readonly slice: number
  #free = -Infinity

  constructor(bytesPerSecond: number) {
    if (!(bytesPerSecond > 0))
      throw new RangeError(`rate needs more than 0 bytes a second, not ${bytesPerSecond}`)
    this.bytesPerSecond = bytesPerSecond
    this.slice = Math.max(1, Math.ceil(bytesPerSecond / 100))
  }

  take(bytes: number, ready: number): number {
    this.#free = Math.max(ready, this.#free) + (bytes * 1000) / this.bytesPerSecond
    return this.#free
  }
}
