import { expect, type Answer } from '#harness'
import type { Gateway } from './shop.ts'

/** A transaction as a client of the gateway drives it. */
export class Transaction {
  readonly id: string
  readonly node: string
  readonly #gateway: Gateway

  constructor(gateway: Gateway, id: string, node: string) {
    this.#gateway = gateway
    this.id = id
    this.node = node
  }

  static async begin(gateway: Gateway, options: { readOnly?: boolean } = {}): Promise<Transaction> {
    const answer = await gateway.role.post('/transactions', options)
    expect(answer).toAnswer(201)
    return new Transaction(gateway, answer.body.id, answer.body.node)
  }

  query(sql: string, params?: unknown[]): Promise<Answer> {
    return this.#gateway.role.post(`/transactions/${this.id}/query`, { sql, ...(params && { params }) })
  }

  commit(): Promise<Answer> {
    return this.#gateway.role.post(`/transactions/${this.id}/commit`)
  }

  rollback(): Promise<Answer> {
    return this.#gateway.role.post(`/transactions/${this.id}/rollback`)
  }
}
