import { DatabaseError } from 'pg'
import { decide, type Question } from './classify.ts'
import { ANALYTICS_MIN_COST, FALLBACK_MAX, READ_BALANCE, ROUTES } from './config.ts'
import { analytics, Busy, primary, replicas, Unreachable, type Node, type Result } from './nodes.ts'

/** The statement would change a connection that the next caller gets. */
export class SessionStatement extends Error {}

const forReports = analytics ? [analytics] : []

// #region route
/** Runs a statement on the node that can run it correctly. */
export async function run(question: Question, params: unknown[]): Promise<Result> {
  const { sql } = question
  const { to } = decide(question, ROUTES)
  if (to === 'refused') throw new SessionStatement()
  if (to === 'primary') return primary.run(sql, params)
  const dear = to === 'cost' && (await costOf(sql, params)) >= ANALYTICS_MIN_COST
  if (forReports.length > 0 && (to === 'analytics' || dear)) return read(forReports, sql, params)
  return read(replicas, sql, params, fallBack)
}
// #endregion route

// #region read
type Fallback = <T>(work: () => Promise<T>) => Promise<T>

/** Runs a read on the first of these nodes that answers: yes or no. */
async function read(
  among: readonly Node[],
  sql: string,
  params: unknown[],
  fallback?: Fallback,
): Promise<Result> {
  let busy = false
  for (const node of inTurn(among)) {
    try {
      return await node.run(sql, params)
    } catch (error) {
      if (error instanceof DatabaseError) return primary.run(sql, params)
      busy ||= error instanceof Busy
    }
  }
  // Full replicas mean too much load; the primary is the last that should get it.
  if (!fallback || busy) throw new Unreachable()
  // It may be a write that no replica was there to refuse: if it breaks now, nobody knows.
  return fallback(() => primary.run(sql, params))
}
// #endregion read

// #region balance
const turns = new Map<readonly Node[], number>()

/** The nodes of a list in the order in which to try them: each begins as often as the others. */
export function* inTurn(among: readonly Node[]): Generator<Node> {
  const start = turns.get(among) ?? 0
  turns.set(among, start + 1)
  const order = among.map((_, i) => among[(start + i) % among.length]!)
  if (READ_BALANCE === 'least-loaded') order.sort((a, b) => a.active - b.active)
  for (const node of order) if (node.admits()) yield node
}
// #endregion balance

// #region fallback
let fallbacks = 0

/** Lets the primary do a replica's work, for so many at a time: it has its own to do. */
export async function fallBack<T>(work: () => Promise<T>): Promise<T> {
  const leave = enterFallback()
  try {
    return await work()
  } finally {
    leave()
  }
}

/** @returns what to call when the work is done */
export function enterFallback(): () => void {
  // With no replicas at all, reading from the primary is no emergency.
  if (replicas.length > 0 && fallbacks >= FALLBACK_MAX) throw new Unreachable()
  fallbacks++
  return () => void fallbacks--
}
// #endregion fallback

// #region cost
/** The same nodes, with turns of their own: the question before a read must not use up the read's turn. */
const forPlans = [...replicas]

/** What the planner expects, by SQL text. */
const costs = new Map<string, number>()
const MOST_COSTS = 1000

async function costOf(sql: string, params: unknown[]): Promise<number> {
  if (!analytics || ANALYTICS_MIN_COST === Infinity || /^\W*(explain|show)\b/i.test(sql)) return 0
  const known = costs.get(sql)
  if (known !== undefined) return known
  try {
    const { rows } = await read(forPlans, `EXPLAIN (FORMAT JSON) ${sql}`, params)
    const [plan] = (rows[0] as { 'QUERY PLAN': { Plan: { 'Total Cost': number } }[] })['QUERY PLAN']
    const cost = plan!.Plan['Total Cost']
    if (costs.size >= MOST_COSTS) costs.delete(costs.keys().next().value!)
    costs.set(sql, cost)
    return cost
  } catch {
    return 0 // whatever is wrong with the statement, running it will say so
  }
}
// #endregion cost
