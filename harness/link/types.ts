/** `request` is client to target, `reply` is target to client. */
export type Direction = 'request' | 'reply'

/** What the bytes mean. On `tcp` they mean nothing, and verbs that need a message say so. */
export type Protocol = 'tcp' | 'http' | 'postgres' | 'redis'

export interface Address {
  host: string
  port: number
}

/** One thing that crossed a link, or that was done to it, as the timeline shows it. */
export interface LinkEvent {
  /** Epoch milliseconds. */
  at: number
  from?: string
  to?: string
  kind: 'http' | 'link'
  /** `PUT /api/profile → 200`, `cut: 3 connections reset`. */
  text: string
  ms?: number
  /** It went wrong: reset, lost, 5xx. */
  failed?: boolean
}

/**
 * `waiting`: no whole answer has been delivered. `lost`: the target answered and {@link Link.loseReply} swallowed it.
 * `reset`: the connection broke first, by the target or by the link. `aborted`: the client went away first.
 */
export type Outcome = 'waiting' | 'answered' | 'lost' | 'reset' | 'aborted'

/** A request and its answer: an HTTP request, a Postgres Query or Sync, a Redis command. */
export interface Exchange {
  /** HTTP: `PUT /api/profile`. Postgres: the SQL. Redis: `SET key value`. Long ones are cut off. */
  readonly text: string
  /** HTTP method, Redis command, or the Postgres message that began it. */
  readonly method: string
  /** HTTP target as it was sent, with its query; empty elsewhere. */
  readonly path: string
  /** HTTP headers, names in lower case, repeated ones joined by `, `. */
  readonly headers: Readonly<Record<string, string>>
  /** Epoch milliseconds at which it arrived at the link. */
  readonly at: number
  /** The link has handed it to the target (its first part, where it is long). */
  delivered: boolean
  /** HTTP status as soon as the answer's head has arrived at the link, even while the answer is held. */
  status?: number
  /** From arrival at the link until the answer was delivered, lost or impossible. */
  ms?: number
  outcome: Outcome
}

/** A request of an `http` link. */
export type HttpRecord = Exchange

/** What {@link Link.beforeForward} may look at. */
export interface Passing {
  readonly direction: Direction
  readonly bytes: Buffer
  /** The request that begins here or that this answers, where the protocol tells. */
  readonly request?: Exchange
}

/** Which requests are meant: text or pattern found in {@link Exchange.text}, or a function. */
export type Match = string | RegExp | ((request: Exchange) => boolean)

export interface Counts {
  /** Connections accepted, those that were reset at once included. */
  connections: number
  /** Of them: reset at once, because the link was cut or the target refused. */
  rejected: number
  /** Open now. */
  open: number
  /** Delivered to the target. */
  bytesUp: number
  /** Delivered to the client. */
  bytesDown: number
  /** Arrived at the link, delivered or not: HTTP requests, Postgres Query and Sync messages, Redis commands. */
  requests: number
}

/** Where a connection stands. Sides are seen while nothing is forwarded too: a black hole hides them from each other. */
export interface ConnectionState {
  /** The client has closed its sending side, or the whole. */
  readonly clientEnded: boolean
  readonly targetEnded: boolean
  /** Bytes that wait in the link. */
  readonly held: Readonly<Record<Direction, number>>
}

export interface LostReplies extends Disposable {
  /** Replies swallowed so far. */
  readonly count: number
  /** Settles with the first lost reply. */
  readonly lost: Promise<void>
  stop(): void
}

export interface HoldOn extends Disposable {
  /** The text has passed and the connection is held. */
  readonly isHeld: boolean
  /** Settles when it is. */
  readonly held: Promise<void>
  /** Lets the connection go on, or disarms. */
  release(): void
}

/** Ends what was begun. */
export interface Hook extends Disposable {
  stop(): void
}

export const now = (): number => performance.now()

/** Epoch milliseconds of a moment of {@link now}. */
export const epoch = (moment: number): number => performance.timeOrigin + moment

export const matches = (match: Match | undefined, request: Exchange): boolean =>
  match === undefined
    ? true
    : typeof match === 'function'
      ? match(request)
      : typeof match === 'string'
        ? request.text.includes(match)
        : request.text.search(match) >= 0

export const difference = (after: Counts, before: Counts): Counts => ({
  connections: after.connections - before.connections,
  rejected: after.rejected - before.rejected,
  open: after.open - before.open,
  bytesUp: after.bytesUp - before.bytesUp,
  bytesDown: after.bytesDown - before.bytesDown,
  requests: after.requests - before.requests,
})
