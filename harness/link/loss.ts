import { matches, type Exchange, type LostReplies, type Match } from './types.ts'

/** One {@link Link.loseReply}. */
class Loss implements LostReplies {
  count = 0
  readonly lost: Promise<void>
  readonly match: Match | undefined
  /** How many more requests may be taken. */
  left: number
  readonly #end: () => void
  #settle!: () => void

  constructor(match: Match | undefined, times: number, end: (loss: Loss) => void) {
    this.match = match
    this.left = times
    this.#end = () => end(this)
    this.lost = new Promise((resolve) => (this.#settle = resolve))
  }

  counted(): void {
    this.count++
    this.#settle()
  }

  stop(): void {
    this.#end()
  }

  [Symbol.dispose](): void {
    this.#end()
  }
}

/** Which answers are to be swallowed. */
export class LossPlan {
  readonly #losses = new Set<Loss>()
  readonly #taken = new Map<Exchange, Loss>()

  add(match: Match | undefined, times: number): LostReplies {
    const loss = new Loss(match, times, (ended) => this.#losses.delete(ended))
    this.#losses.add(loss)
    return loss
  }

  /** A request has arrived: it may be the one that is meant. */
  offer(request: Exchange): void {
    for (const loss of this.#losses) {
      if (loss.left <= 0 || !matches(loss.match, request)) continue
      loss.left--
      this.#taken.set(request, loss)
      return
    }
  }

  takes(request: Exchange): boolean {
    return this.#taken.has(request)
  }

  /** The request has ended. If its answer was not lost after all, the next one that matches is taken. */
  settle(request: Exchange): void {
    const loss = this.#taken.get(request)
    if (!loss) return
    this.#taken.delete(request)
    if (request.outcome === 'lost') loss.counted()
    else loss.left++
  }

  clear(): void {
    this.#losses.clear()
  }
}
