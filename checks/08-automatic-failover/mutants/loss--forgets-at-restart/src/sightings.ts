import { parseLsn, type Lsn } from './choose.ts'
import type { Node } from './nodes.ts'

// #region sightings
/** Nobody else need know it: the check has noted it already. */
export async function tellSighting(_node: Node): Promise<void> {}

/** The furthest that this controller saw this primary. */
export async function lastSeen({ seen }: Node): Promise<Lsn | null> {
  return seen.lsn === null ? null : parseLsn(seen.lsn)
}
// #endregion sightings
