import { randomUUID } from 'node:crypto'
import { DatabaseError, type PoolClient } from 'pg'
import { TX_IDLE_MS } from './config.ts'
import { kindOf, tokens } from './classify.ts'
import { Broken, Busy, primary, replicas, Unreachable, type Node, type Result } from './nodes.ts'
import { enterFallback, inTurn, SessionStatement } from './route.ts'

/** Unknown, finished or timed out. */
export class NoTransaction extends Error {}

/** Postgres ended it with ROLLBACK, although COMMIT was asked for. */
export class RolledBack extends Error {
  /** What Postgres said, where it said something. */
  readonly reason?: { code?: string; message: string }

  constructor(error?: DatabaseError) {
    super()
    if (error) this.reason = { code: error.code, message: error.message }
  }
}

interface Transaction {
  client: PoolClient
  node: Node
  /** Ends when the statement before has: one connection runs one at a time. */
  before: Promise<unknown>
  waiting: number
  idle?: NodeJS.Timeout
  /** A SET outlives its transaction: such a connection is not given back. */
  changed: boolean
  leave?: () => void
}

const open = new Map<string, Transaction>()

// #region begin
/** Takes a connection out of its pool, for this caller alone. */
export async function begin(readOnly: boolean): Promise<{ id: string; node: string }> {
  if (!readOnly) return beginOn(primary, 'BEGIN')
  let busy = false
  for (const node of inTurn(replicas)) {
    try {
      return await beginOn(node, 'BEGIN READ ONLY')
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error
      busy ||= error instanceof Busy
    }
  }
  if (busy) throw new Unreachable() // as for a single read
  const leave = enterFallback()
  return beginOn(primary, 'BEGIN READ ONLY', leave).catch((error: Error) => {
    leave()
    throw error
  })
}

async function beginOn(
  node: Node,
  statement: string,
  leave?: () => void,
): Promise<{ id: string; node: string }> {
  const client = await node.connect()
  try {
    await node.query(client, statement)
  } catch (error) {
    client.release(true)
    throw error instanceof Broken ? new Unreachable() : error // nothing has happened yet
  }
  const id = randomUUID()
  const transaction = { client, node, before: Promise.resolve(), waiting: 0, changed: false, leave }
  open.set(id, transaction)
  rollBackWhenIdle(id, transaction)
  return { id, node: node.name }
}
// #endregion begin

// #region use
// #region run-in
export function runIn(id: string, sql: string, params: unknown[]): Promise<Result> {
  if (beginsOrEnds(sql)) throw new SessionStatement()
  return use(id, (transaction) => {
    transaction.changed ||= kindOf(sql) === 'session'
    return transaction.node.query(transaction.client, sql, params)
  })
}
// #endregion run-in

/** One at a time on the transaction's connection, and its idle clock stands still meanwhile. */
async function use<T>(id: string, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const transaction = find(id)
  clearTimeout(transaction.idle)
  transaction.waiting++
  const mine = transaction.before.then(() => work(find(id)))
  transaction.before = mine.catch(() => {}) // told to its own caller
  try {
    return await mine
  } catch (error) {
    if (error instanceof Broken) close(id, true)
    throw error
  } finally {
    transaction.waiting--
    if (open.has(id) && transaction.waiting === 0) rollBackWhenIdle(id, transaction)
  }
}

/** That is what the other routes are for: behind their backs nobody would know what COMMIT still has to commit. */
function beginsOrEnds(sql: string): boolean {
  const [first = '', ...others] = tokens(sql).flatMap(({ kind, text }) => (kind === 'word' ? [text] : []))
  if (first === 'rollback') return !others.includes('to') // a savepoint
  return ['begin', 'start', 'commit', 'end', 'abort'].includes(first)
}

function find(id: string): Transaction {
  const transaction = open.get(id)
  if (!transaction) throw new NoTransaction()
  return transaction
}

function rollBackWhenIdle(id: string, transaction: Transaction): void {
  transaction.idle = setTimeout(() => void end(id, 'ROLLBACK').catch(() => {}), TX_IDLE_MS)
}
// #endregion use

// #region end
/** COMMIT of a transaction in which something failed succeeds, and its tag says ROLLBACK. */
export async function end(id: string, statement: 'COMMIT' | 'ROLLBACK'): Promise<void> {
  const tag = await use(id, async ({ client, node }) => {
    try {
      const { command } = await node.send(client, statement)
      close(id)
      return command
    } catch (error) {
      close(id, error instanceof Broken)
      // A constraint that was put off until now does not hold. Postgres says so and has undone all of it.
      throw error instanceof DatabaseError ? new RolledBack(error) : error
    }
  })
  if (statement === 'COMMIT' && tag !== 'COMMIT') throw new RolledBack()
}

/** The one place where a transaction's connection goes back to the pool. */
function close(id: string, broken = false): void {
  const transaction = open.get(id)
  if (!open.delete(id) || !transaction) return
  clearTimeout(transaction.idle)
  transaction.client.release(broken || transaction.changed)
  transaction.leave?.()
}

export async function rollBackAll(): Promise<void> {
  await Promise.allSettled([...open.keys()].map((id) => end(id, 'ROLLBACK')))
}
// #endregion end
