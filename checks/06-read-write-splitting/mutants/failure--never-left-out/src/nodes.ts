import { DatabaseError, Pool, type PoolClient, type QueryConfig, type QueryResult } from 'pg'
import {
  ANALYTICS_URL,
  DATABASE_URL,
  PRIMARY_POOL_MAX,
  READ_TIMEOUT_MS,
  REPLICA_POOL_MAX,
  REPLICA_URLS,
  WRITE_TIMEOUT_MS,
} from './config.ts'

export interface Result {
  rows: unknown[]
  rowCount: number
  node: string
}

// #region failures
/** Nothing was sent: no connection to the node, or none free in its pool. */
export class Unreachable extends Error {}

/** The node is alive and every connection of its pool is in use. */
export class Busy extends Unreachable {}

/** The statement was sent and the connection broke: nobody knows how far it came. */
export class Broken extends Error {}

// 08P01 is a malformed message, for instance a missing parameter: it is the caller's, on whichever node it runs.
const LOST = /^(08(?!P01)|57P0[123]$|53300$)/

/** The node did not answer, or said goodbye. Everything else is an answer. */
export function isLost(error: unknown): boolean {
  return !(error instanceof DatabaseError) || LOST.test(error.code ?? '')
}
// #endregion failures

// #region node
/**
 * How much later than the server's own limit the client gives up. Only a silent server may get there: one that is busy
 * takes its time to cancel a statement, and taken for dead it would see the statement run again elsewhere.
 */
const GRACE_MS = 1000

/** A server with a pool of its own, and the gateway's present opinion of it. */
export class Node {
  readonly name: string
  readonly role: 'primary' | 'replica' | 'analytics'
  readonly pool: Pool
  /** Statements in flight from this gateway. */
  active = 0
  up = true

  constructor(name: string, role: Node['role'], url: string, max: number, ms: number) {
    this.name = name
    this.role = role
    this.pool = new Pool({
      connectionString: url,
      max,
      statement_timeout: ms,
      query_timeout: ms + GRACE_MS,
      connectionTimeoutMillis: ms,
    })
    // An idle connection was lost; the pool has dropped it. Without a listener the event ends the process.
    this.pool.on('error', () => {})
    this.pool.on('connect', (client) => client.on('error', () => {}))
  }

  // #region left-out
  /** May it be tried? */
  admits(): boolean {
    return true
  }
  // #endregion left-out

  async connect(): Promise<PoolClient> {
    try {
      return await this.pool.connect()
    } catch (error) {
      // The pool's own words for a full pool; a server that can't be reached has others.
      if ((error as Error).message.startsWith('timeout exceeded')) throw new Busy()
      if (!isLost(error)) throw error
      this.eject()
      throw new Unreachable()
    }
  }

  /** Runs a statement on a connection from the pool. */
  async run(sql: string, params: unknown[] = []): Promise<Result> {
    this.active++
    try {
      const client = await this.connect()
      try {
        const result = await this.query(client, sql, params)
        client.release()
        return result
      } catch (error) {
        // After an error that Postgres has reported the connection is as good as before.
        client.release(error instanceof Broken)
        throw error
      }
    } finally {
      this.active--
    }
  }

  async query(client: PoolClient, sql: string, params: unknown[] = []): Promise<Result> {
    const { rows, rowCount } = await this.send(client, sql, params)
    return { rows, rowCount: rowCount ?? 0, node: this.name }
  }

  /** Runs a statement on this connection. @throws Broken, or what Postgres said */
  async send(client: PoolClient, sql: string, params: unknown[] = []): Promise<QueryResult> {
    try {
      // The extended protocol even without parameters: it takes one statement, never two.
      const query = { text: sql, values: params, queryMode: 'extended' } as QueryConfig
      const result = await client.query(query)
      this.up = true
      return result
    } catch (error) {
      if (!isLost(error)) throw error
      this.eject()
      throw new Broken()
    }
  }

  eject(): void {
    this.up = false
  }
}
// #endregion node

// #region pools
export const primary = new Node('primary', 'primary', DATABASE_URL, PRIMARY_POOL_MAX, WRITE_TIMEOUT_MS)

export const replicas = REPLICA_URLS.map(
  (url, i) => new Node(`replica-${i + 1}`, 'replica', url, REPLICA_POOL_MAX, READ_TIMEOUT_MS),
)

export const analytics = ANALYTICS_URL
  ? new Node('analytics', 'analytics', ANALYTICS_URL, REPLICA_POOL_MAX, WRITE_TIMEOUT_MS)
  : undefined

export const nodes = [primary, ...replicas, ...(analytics ? [analytics] : [])]
// #endregion pools
