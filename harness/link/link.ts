import { Capacity, Rate, type CapacityLimit } from './capacity.ts'
import { Connections } from './connections.ts'
import { Gate, noDelay, type HookEntry } from './gate.ts'
import { Listener } from './listener.ts'
import { Ledger } from './ledger.ts'
import {
  difference,
  type Address,
  type ConnectionState,
  type Counts,
  type Direction,
  type HoldOn,
  type Hook,
  type HttpRecord,
  type LinkEvent,
  type LostReplies,
  type Match,
  type Passing,
  type Protocol,
} from './types.ts'
import { TextWatch } from './watch.ts'

export interface LinkOptions {
  /** `server-1 → pg-1`, as the timeline shows it. */
  name: string
  target: Address | (() => Address)
  /** What the bytes mean; default `tcp`. */
  protocol?: Protocol
  /** Default 0: chosen, outside the system's ephemeral range. */
  port?: number
  /** Addresses to listen on, all on the same port; default `127.0.0.1`. */
  hosts?: readonly string[]
  /** Where the timeline takes its events from. */
  record?: (event: LinkEvent) => void
}

export type Directions = Direction | 'both'

const directionsOf = (directions: Directions): Direction[] =>
  directions === 'both' ? ['request', 'reply'] : [directions]

const plural = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`

/**
 * A path between a role and a component or another role, which a test can slow, cut, hold or black-hole. It never
 * drops bytes inside a living connection and never changes or reorders them. Made by {@link openLink}.
 */
export class Link implements AsyncDisposable {
  readonly name: string
  readonly protocol: Protocol
  readonly #listener: Listener
  readonly #gate: Gate
  readonly #ledger: Ledger
  readonly #connections: Connections
  #failure: unknown

  constructor(options: LinkOptions) {
    this.name = options.name
    this.protocol = options.protocol ?? 'tcp'
    this.#ledger = new Ledger(this.name, this.protocol, options.record)
    this.#gate = new Gate((error) => (this.#failure ??= error))
    this.#connections = new Connections(asFunction(options.target), this.protocol, this.#gate, this.#ledger)
    this.#listener = new Listener(options.hosts ?? ['127.0.0.1'], options.port ?? 0, (client) =>
      this.#connections.accept(client),
    )
  }

  get host(): string {
    const host = this.#listener.hosts[0] ?? '127.0.0.1'
    return host === '0.0.0.0' ? '127.0.0.1' : host
  }

  get port(): number {
    return this.#listener.port
  }

  get url(): string {
    return `http://${this.host}:${this.port}`
  }

  /** A copy of the counts as they are now. */
  get counts(): Counts {
    return { ...this.#ledger.counts, open: this.#connections.size }
  }

  /** HTTP requests in the order of arrival, those without an answer included; empty on other protocols. */
  get requests(): readonly HttpRecord[] {
    return this.#ledger.requests
  }

  /** Bytes that wait in the link. */
  get held(): Record<Direction, number> {
    return this.#connections.held
  }

  get connections(): readonly ConnectionState[] {
    return this.#connections.states
  }

  /** What was added since `before`, an earlier {@link counts}; `link.requests.slice(before.requests)` are the requests. */
  since(before: Counts): Counts {
    return difference(this.counts, before)
  }

  /** Counts and recorded requests begin again. */
  resetCounts(): void {
    this.#ledger.reset()
  }

  /** Where new connections go from now on: a component may come back on another port. */
  retarget(target: LinkOptions['target']): void {
    this.#connections.target = asFunction(target)
  }

  /** Existing connections are reset, new ones are accepted and reset at once. Returns how many stood. */
  cut(): number {
    this.#connections.turnsAway = Infinity
    const count = this.#connections.reset()
    this.#ledger.note(`cut: ${plural(count, 'connection')} reset`)
    return count
  }

  /** A blip: existing connections are reset and so are the `next` new ones; after them everything passes. */
  reset({ next = 0 }: { next?: number } = {}): number {
    if (this.#connections.turnsAway !== Infinity) this.#connections.turnsAway = next
    const count = this.#connections.reset()
    this.#ledger.note(`reset: ${plural(count, 'connection')}${next ? `, and the next ${next}` : ''}`)
    return count
  }

  /** Nothing listens any more: new connections are refused. Existing ones are not touched. */
  refuse(): void {
    this.#listener.stop()
    this.#ledger.note('refuses connections')
  }

  /**
   * Bytes stop both ways, ends and resets too; nothing is lost, and no side learns of it. New connections are accepted
   * and stay silent, and the target does not see them.
   */
  blackHole(): void {
    this.#gate.black = true
    this.#ledger.note('black hole')
  }

  /**
   * Holds what passes in a direction until {@link release}; connections stay up. A new connection's handshake is held
   * too: let the client have one open before.
   */
  hold(directions: Directions = 'both'): void {
    for (const direction of directionsOf(directions)) this.#gate.holds[direction] = true
    this.#ledger.note(
      `holds ${directions === 'both' ? 'both ways' : directions === 'reply' ? 'replies' : 'requests'}`,
    )
  }

  /** Ends {@link hold} and {@link holdOn}: what waited goes on in order. */
  release(directions: Directions = 'both'): void {
    for (const direction of directionsOf(directions)) this.#gate.holds[direction] = false
    if (directions === 'both') this.#disarm()
    this.#ledger.note('released')
    this.#connections.go()
  }

  /**
   * Armed once: the connection in which this text passes towards the target is held from there on, its replies by
   * default. Others go on. With `holds: 'request'` the text itself is held as well.
   */
  holdOn(
    text: string | RegExp,
    { seen = 'request', holds = 'reply' }: { seen?: Direction; holds?: Direction } = {},
  ): HoldOn {
    const watch = new TextWatch(text, seen, holds, () => {
      this.#gate.watches.delete(watch)
      this.#connections.go()
    })
    this.#gate.watches.add(watch)
    void watch.held.then(() => this.#ledger.note(`held on ${String(text)}`))
    return watch
  }

  /** Each way that much later, in order; 0 ends it. */
  delay(
    ms: number,
    { jitter = 0, directions = 'both' }: { jitter?: number; directions?: Directions } = {},
  ): void {
    for (const direction of directionsOf(directions)) this.#gate.delays[direction] = { ms, jitter }
    this.#ledger.note(ms ? `delays by ${ms} ms` : 'no delay')
    this.#connections.go()
  }

  /** So many bytes a second each way, all connections together; `null` ends it. */
  rate(bytesPerSecond: number | null, directions: Directions = 'both'): void {
    for (const direction of directionsOf(directions)) {
      this.#gate.rates[direction] = bytesPerSecond === null ? undefined : new Rate(bytesPerSecond)
    }
    this.#ledger.note(bytesPerSecond === null ? 'no limit of rate' : `passes ${bytesPerSecond} bytes/s`)
    this.#connections.go()
  }

  /**
   * A node's limit: an HTTP request, a Postgres Query or Sync, a Redis command takes a slot for its time and is
   * forwarded then. A {@link Capacity} can be shared by the links that lead to one node. `null` ends it.
   */
  capacity(limit: CapacityLimit | Capacity | null): Capacity | undefined {
    this.#needsMessages('capacity')
    this.#gate.capacity =
      limit === null || limit instanceof Capacity ? (limit ?? undefined) : new Capacity(limit)
    this.#connections.go()
    return this.#gate.capacity
  }

  /**
   * The request is delivered, its answer swallowed to the last byte, and then the connection is reset. The next one that
   * matches, or as many as `times` says (`Infinity`: until stopped or {@link open}).
   */
  loseReply(match?: Match, { times = 1 }: { times?: number } = {}): LostReplies {
    this.#needsMessages('loseReply')
    return this.#ledger.losses.add(match, times)
  }

  /**
   * Called before a request is forwarded, which waits until it has finished; on plain bytes (`tcp`, or behind an
   * upgrade) and for replies, before each chunk.
   */
  beforeForward(fn: (passing: Passing) => void | Promise<void>, direction: Direction = 'request'): Hook {
    const hook: HookEntry = { direction, fn }
    this.#gate.hooks.add(hook)
    const stop = () => void this.#gate.hooks.delete(hook)
    return { stop, [Symbol.dispose]: stop }
  }

  /**
   * Ends every fault: cut, refuse, black hole, hold, delay, rate and lost replies. Held bytes go on in order; with
   * `reset` connections that lived through it are reset instead. Capacity and hooks stay.
   */
  async open({ reset = false }: { reset?: boolean } = {}): Promise<void> {
    const count = reset ? this.#connections.reset() : 0
    this.#connections.turnsAway = 0
    this.#gate.black = false
    this.#gate.holds.request = this.#gate.holds.reply = false
    this.#gate.delays = noDelay()
    this.#gate.rates = { request: undefined, reply: undefined }
    this.#ledger.losses.clear()
    this.#disarm()
    this.#connections.go()
    await this.#listener.start()
    this.#ledger.note(reset ? `open: ${plural(count, 'connection')} reset` : 'open')
  }

  /** Stops listening and resets what is left. An error of a {@link beforeForward} hook comes out here. */
  async close(): Promise<void> {
    this.#listener.stop()
    this.#connections.reset()
    // Sockets and their handles are gone in the next turn of the loop.
    await new Promise((resolve) => setImmediate(resolve))
    const failure = this.#failure
    this.#failure = undefined
    if (failure) throw failure
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  /** For {@link openLink}. */
  async listen(): Promise<this> {
    await this.#listener.start()
    return this
  }

  #needsMessages(verb: string): void {
    if (this.protocol === 'tcp')
      throw new Error(`${verb} needs to know the messages: open ${this.name} with a protocol`)
  }

  #disarm(): void {
    for (const watch of this.#gate.watches) watch.release()
  }
}

const asFunction = (target: LinkOptions['target']) => (typeof target === 'function' ? target : () => target)

/** Opens a link: it listens when this resolves. */
export function openLink(options: LinkOptions): Promise<Link> {
  return new Link(options).listen()
}
