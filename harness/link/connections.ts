import type { Socket } from 'node:net'
import { Connection } from './connection.ts'
import type { Gate } from './gate.ts'
import type { Ledger } from './ledger.ts'
import { observe } from './observer.ts'
import { reset } from './reset.ts'
import { now, type Address, type ConnectionState, type Direction, type Protocol } from './types.ts'

/** The connections that stand in a link, and what becomes of new ones. */
export class Connections {
  /** How many new ones are reset at once. */
  turnsAway = 0
  target: () => Address
  readonly #all = new Set<Connection>()
  readonly #gate: Gate
  readonly #ledger: Ledger
  readonly #protocol: Protocol

  constructor(target: () => Address, protocol: Protocol, gate: Gate, ledger: Ledger) {
    this.target = target
    this.#protocol = protocol
    this.#gate = gate
    this.#ledger = ledger
  }

  get size(): number {
    return this.#all.size
  }

  get states(): ConnectionState[] {
    return [...this.#all].map((connection) => connection.state)
  }

  get held(): Record<Direction, number> {
    const held = { request: 0, reply: 0 }
    for (const state of this.states) {
      held.request += state.held.request
      held.reply += state.held.reply
    }
    return held
  }

  accept(client: Socket): void {
    this.#ledger.counts.connections++
    if (this.turnsAway > 0) {
      this.turnsAway--
      this.#ledger.rejected('the link is cut')
      // It may have been reset from the other side already.
      client.on('error', () => undefined)
      reset(client)
      return
    }
    const connection = new Connection(client, this.#gate, observe(this.#protocol), this.#ledger, () =>
      this.#all.delete(connection),
    )
    this.#all.add(connection)
    if (!this.#gate.black) connection.connect(this.target())
  }

  /** Resets them all; returns how many there were. */
  reset(): number {
    const all = [...this.#all]
    for (const connection of all) connection.reset()
    return all.length
  }

  /** Something that may have held bytes back has changed. */
  go(): void {
    this.#gate.freed = now()
    for (const connection of this.#all) {
      if (!this.#gate.black) connection.connect(this.target())
      connection.pump()
    }
  }
}
