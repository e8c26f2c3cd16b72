import net from 'node:net'
import type { Gate, Gated } from './gate.ts'
import type { Ledger } from './ledger.ts'
import type { Observer } from './observer.ts'
import { OrderedQueue, type Piece } from './queue.ts'
import { reset } from './reset.ts'
import type { TextWatch } from './watch.ts'
import type { Address, ConnectionState, Direction, Exchange, Outcome } from './types.ts'

const NOTHING = { bytes: Buffer.alloc(0) }

/** A client's connection and the one to the target that belongs to it. */
export class Connection implements Gated {
  readonly holds: Record<Direction, number> = { request: 0, reply: 0 }
  readonly tails = new Map<TextWatch, Buffer>()
  readonly #client: net.Socket
  readonly #target = new net.Socket({ allowHalfOpen: true })
  readonly #queues: Record<Direction, OrderedQueue>
  readonly #gate: Gate
  readonly #observer: Observer
  readonly #ledger: Ledger
  readonly #over: () => void
  readonly #ended = { client: false, target: false }
  /** Requests whose answer has not been delivered whole. */
  readonly #unsettled = new Set<Exchange>()
  #connecting = false
  #connected = false
  #swallowing = false
  #closed = false

  constructor(client: net.Socket, gate: Gate, observer: Observer, ledger: Ledger, over: () => void) {
    this.#client = client
    this.#gate = gate
    this.#observer = observer
    this.#ledger = ledger
    this.#over = over
    this.#queues = {
      request: this.#queue('request', client, this.#target),
      reply: this.#queue('reply', this.#target, client),
    }
    this.#listen(client, 'client', 'request')
    this.#listen(this.#target, 'target', 'reply')
  }

  get state(): ConnectionState {
    const { request, reply } = this.#queues
    return {
      clientEnded: this.#ended.client,
      targetEnded: this.#ended.target,
      held: { request: request.held, reply: reply.held },
    }
  }

  /** Connects to the target, once; a black hole lets nothing through, so it comes later then. */
  connect(target: Address): void {
    if (this.#connecting || this.#closed) return
    this.#connecting = true
    this.#target.setNoDelay(true)
    this.#target.once('connect', () => (this.#connected = true))
    this.#target.connect(target)
  }

  pump(): void {
    this.#queues.request.pump()
    this.#queues.reply.pump()
  }

  /** Resets both sides at once; what was in the link is gone with the connection. */
  reset(outcome: Outcome = 'reset'): void {
    if (this.#closed) return
    this.#close(outcome)
    reset(this.#client)
    // A socket that is not connected yet would wait for that before it resets.
    if (!this.#connected) this.#target.destroy()
    else reset(this.#target)
  }

  #queue(direction: Direction, source: net.Socket, sink: net.Socket): OrderedQueue {
    return new OrderedQueue({
      direction,
      source,
      sink,
      wait: (piece, queue) =>
        direction === 'request' && !this.#connecting ? Infinity : this.#gate.wait(piece, queue, this),
      slice: () => this.#gate.slice(direction),
      deliver: (piece) => this.#deliver(direction, piece, sink),
    })
  }

  #listen(socket: net.Socket, side: 'client' | 'target', direction: Direction): void {
    socket.on('data', (chunk) => this.#take(direction, chunk))
    socket.on('end', () => {
      this.#ended[side] = true
      if (side === 'client')
        for (const request of this.#observer.pending) this.#ledger.settled(request, 'aborted')
      const answers = side === 'target' ? this.#observer.replyEnd() : undefined
      if (answers && this.#swallowing) this.#queues.reply.push('reset', { ...NOTHING, answers })
      else this.#queues[direction].push('end', { ...NOTHING, answers, completes: answers !== undefined })
    })
    socket.on('error', () => {
      // Refused, reset, or written to after the other side was gone: for the peer all are a reset.
      this.#ended[side] = true
      if (side === 'client') this.#gaveUp()
      if (side === 'target' && !this.#connected) this.#ledger.rejected('the target refuses')
      this.#queues[direction].push('reset', NOTHING)
    })
    socket.on('close', () => {
      if (this.#client.destroyed && this.#target.destroyed) this.#close('reset')
    })
  }

  #take(direction: Direction, chunk: Buffer): void {
    for (const segment of this.#observer[direction](chunk)) {
      if (segment.begins) {
        this.#unsettled.add(segment.begins)
        this.#ledger.seen(segment.begins)
      }
      if (segment.answers && this.#ledger.loses(segment.answers)) this.#swallowing = true
      if (direction === 'request' || !this.#swallowing) this.#queues[direction].push('bytes', segment)
      else if (segment.completes && segment.answers && this.#ledger.loses(segment.answers)) {
        this.#queues.reply.push('reset', { ...NOTHING, answers: segment.answers })
      }
    }
  }

  #deliver(direction: Direction, piece: Piece, sink: net.Socket): void {
    const { bytes, begins, answers, completes } = piece.segment
    if (piece.kind === 'reset') {
      if (answers) this.#settle(answers, 'lost')
      this.reset(this.#ended.client ? 'aborted' : 'reset')
      return
    }
    if (begins) begins.delivered = true
    if (piece.kind === 'end') sink.end()
    else if (!sink.destroyed) {
      sink.write(bytes)
      this.#ledger.delivered(direction, bytes.length)
    }
    if (completes && answers) this.#settle(answers, sink.destroyed ? 'aborted' : 'answered')
  }

  #close(outcome: Outcome): void {
    if (this.#closed) return
    this.#closed = true
    for (const queue of Object.values(this.#queues)) queue.close()
    for (const request of this.#unsettled) this.#settle(request, outcome)
    this.#over()
  }

  #gaveUp(): void {
    for (const request of this.#unsettled) this.#ledger.gaveUp(request)
  }

  #settle(request: Exchange, outcome: Outcome): void {
    this.#unsettled.delete(request)
    this.#ledger.settled(request, outcome)
  }
}
