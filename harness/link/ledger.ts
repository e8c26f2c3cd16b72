import { LossPlan } from './loss.ts'
import {
  epoch,
  now,
  type Counts,
  type Direction,
  type Exchange,
  type LinkEvent,
  type Outcome,
  type Protocol,
} from './types.ts'

const ENDS: Record<Outcome, string> = {
  waiting: '',
  answered: '',
  lost: 'reply lost',
  reset: 'connection reset',
  aborted: 'client gave up',
}

const nothing = (): Omit<Counts, 'open'> => ({
  connections: 0,
  rejected: 0,
  bytesUp: 0,
  bytesDown: 0,
  requests: 0,
})

/** What a link knows of what has crossed it: counts, requests, lost replies, and the events for the timeline. */
export class Ledger {
  readonly losses = new LossPlan()
  counts = nothing()
  requests: Exchange[] = []
  readonly #name: string
  readonly #protocol: Protocol
  #turnedAway = 0
  readonly #record: ((event: LinkEvent) => void) | undefined

  constructor(name: string, protocol: Protocol, record?: (event: LinkEvent) => void) {
    this.#name = name
    this.#protocol = protocol
    this.#record = record
  }

  reset(): void {
    this.counts = nothing()
    this.requests = []
  }

  delivered(direction: Direction, bytes: number): void {
    this.counts[direction === 'request' ? 'bytesUp' : 'bytesDown'] += bytes
  }

  seen(request: Exchange): void {
    this.counts.requests++
    if (this.#protocol === 'http') this.requests.push(request)
    this.losses.offer(request)
  }

  /** A connection was reset before it stood. Only the first of a state is told: clients try again and again. */
  rejected(why: string): void {
    this.counts.rejected++
    if (this.#turnedAway++ === 0)
      this.#emit({ at: epoch(now()), kind: 'link', text: `a new connection is reset: ${why}`, failed: true })
  }

  /** Whether the answer to this request is to be swallowed. */
  loses(request: Exchange): boolean {
    return this.losses.takes(request)
  }

  /** The client has ended its side without waiting for an answer. */
  gaveUp(request: Exchange): void {
    if (request.outcome === 'waiting') this.#end(request, 'aborted')
  }

  /** The answer to a request is complete, or will never be. */
  settled(request: Exchange, outcome: Outcome): void {
    const gaveUp = request.outcome === 'aborted'
    if (!gaveUp) this.#end(request, outcome)
    // It had only ended its sending side.
    else if (outcome === 'answered' || outcome === 'lost') request.outcome = outcome
    this.losses.settle(request)
  }

  /** Something was done to the link. */
  note(text: string): void {
    this.#turnedAway = 0
    this.#emit({ at: epoch(now()), kind: 'link', text })
  }

  #end(request: Exchange, outcome: Outcome): void {
    request.outcome = outcome
    request.ms = epoch(now()) - request.at
    const { text, status, at, ms } = request
    if (this.#protocol === 'http') {
      const failed = outcome !== 'answered' || (status ?? 0) >= 500
      const end = [status, ENDS[outcome]].filter(Boolean).join(', ')
      this.#emit({ at, kind: 'http', text: `${text} → ${end}`, ms, ...(failed && { failed }) })
    } else if (outcome === 'lost') {
      this.#emit({ at, kind: 'link', text: `reply lost: ${text.slice(0, 80)}`, ms, failed: true })
    }
  }

  #emit(event: LinkEvent): void {
    const [from, to] = this.#name.split(' → ')
    this.#record?.({ ...event, from, to })
  }
}
