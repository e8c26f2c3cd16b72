/** How long other lanes leave the machine to the first verdict, at most: a learner waits for it. */
const HEAD_START_MS = 1000

/** One run's way through its steps, in lanes side by side: which may begin, and whose work nobody waits for any more. */
export class Course {
  readonly #order: readonly string[]
  readonly #stopAtFailure: boolean
  readonly #lanes = new Map<number, { step: number; abandoned: PromiseWithResolvers<void> }>()
  readonly #firstResult = Promise.withResolvers<void>()
  #firstFailed = Number.POSITIVE_INFINITY
  #isCancelled = false

  /** @param order steps in the order in which they count */
  constructor(order: readonly string[], stopAtFailure: boolean) {
    this.#order = order
    this.#stopAtFailure = stopAtFailure
  }

  get isCancelled(): boolean {
    return this.#isCancelled
  }

  /** A file of this step begins in this lane. False: the run ends before it. */
  enter(number: number, step: string): boolean {
    const at = this.#order.indexOf(step)
    this.#lane(number).step = at
    return !this.#isCancelled && at <= this.#firstFailed
  }

  /** A test of this step has failed: with `stopAtFailure`, whoever works on a later one may leave it. */
  failed(step: string): void {
    if (!this.#stopAtFailure) return
    this.#firstFailed = Math.min(this.#firstFailed, this.#order.indexOf(step))
    for (const lane of this.#lanes.values()) if (lane.step > this.#firstFailed) lane.abandoned.resolve()
  }

  /** Nobody waits for this run any more. */
  cancel(): void {
    this.#isCancelled = true
    this.#firstResult.resolve()
    for (const lane of this.#lanes.values()) lane.abandoned.resolve()
  }

  /** Resolves when nobody waits any more for what this lane does. */
  abandoned(number: number): Promise<void> {
    const { abandoned } = this.#lane(number)
    if (this.#isCancelled) abandoned.resolve()
    return abandoned.promise
  }

  /** A first test is done. */
  seen(): void {
    this.#firstResult.resolve()
  }

  /** When a lane may begin to use the machine: the first one at once. */
  async turn(number: number): Promise<void> {
    if (number === 1) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, HEAD_START_MS)
    await Promise.race([promise, this.#firstResult.promise])
    clearTimeout(timer)
  }

  #lane(number: number): { step: number; abandoned: PromiseWithResolvers<void> } {
    const lane = this.#lanes.get(number) ?? { step: -1, abandoned: Promise.withResolvers<void>() }
    this.#lanes.set(number, lane)
    return lane
  }
}
