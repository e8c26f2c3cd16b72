import type { Lsn } from './lsn.ts'

/** What is known of a replica from the last sample. */
export interface Candidate {
  up: boolean
  replayed: Lsn | null
  /** Null: not known. */
  lagSeconds: number | null
}

export interface Wanted {
  /** The position that the answer must cover; 0 where the reader brought no token. */
  need: Lsn
  /** Longest lag that the reader accepts; Infinity where it said nothing. */
  maxLagMs: number
}

// #region choose
/**
 * The replicas that may answer, in the order in which to ask them: first those known to have what is needed, and among
 * equals each in its turn. The others are asked too, because a sample is old by the time it is used.
 */
export function choose<R extends Candidate>(
  replicas: readonly R[],
  { need, maxLagMs }: Wanted,
  turn: number,
): R[] {
  const allowed = replicas.filter((replica) => replica.up && isWithin(replica, maxLagMs))
  const inTurn = allowed.map((_, i) => allowed[(turn + i) % allowed.length]!)
  const has = (replica: R): boolean => replica.replayed !== null && replica.replayed >= need
  return [...inTurn.filter(has), ...inTurn.filter((replica) => !has(replica))]
}

/** A replica of which nothing is known is not 0 s behind. */
function isWithin({ lagSeconds }: Candidate, maxLagMs: number): boolean {
  if (maxLagMs === Infinity) return true
  return lagSeconds !== null && lagSeconds * 1000 <= maxLagMs
}
// #endregion choose
