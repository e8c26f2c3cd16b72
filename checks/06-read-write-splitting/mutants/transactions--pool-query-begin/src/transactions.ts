import { randomUUID } from 'node:crypto'
import { DatabaseError } from 'pg'
import { TX_IDLE_MS } from './config.ts'
import { tokens } from './classify.ts'
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
  node: Node
  /** Ends when the statement before has: one connection runs one at a time. */
  before: Promise<unknown>
  waiting: number
  idle?: NodeJS.Timeout
  leave?: () => void
}

const open = new Map<string, Transaction>()

// #region begin
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
  await node.run(statement)
  const id = randomUUID()
  const transaction = { node, before: Promise.resolve(), waiting: 0, leave }
  open.set(id, transaction)
  rollBackWhenIdle(id, transaction)
  return { id, node: node.name }
}
// #endregion begin

// #region use
// #region run-in
export function runIn(id: string, sql: string, params: unknown[]): Promise<Result> {
  if (beginsOrEnds(sql)) throw new SessionStatement()
  return use(id, ({ node }) => node.run(sql, params))
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
    if (error instanceof Broken) close(id)
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
  const tag = await use(id, async ({ node }) => {
    try {
      const { command } = await node.pool.query(statement)
      close(id)
      return command
    } catch (error) {
      close(id)
      // A constraint that was put off until now does not hold. Postgres says so and has undone all of it.
      throw error instanceof DatabaseError ? new RolledBack(error) : error
    }
  })
  if (statement === 'COMMIT' && tag !== 'COMMIT') throw new RolledBack()
}

function close(id: string): void {
  const transaction = open.get(id)
  if (!open.delete(id) || !transaction) return
  clearTimeout(transaction.idle)
  transaction.leave?.()
}

export async function rollBackAll(): Promise<void> {
  await Promise.allSettled([...open.keys()].map((id) => end(id, 'ROLLBACK')))
}
// #endregion end
