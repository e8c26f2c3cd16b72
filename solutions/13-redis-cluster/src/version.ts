/** Versions are ordered by number, and where two writers chose the same number, by the writer's name. */
export interface Version {
  n: number
  w: string
}

// #region order
export function isNewer(a: Version, b: Version): boolean {
  return a.n === b.n ? compareBytes(a.w, b.w) > 0 : a.n > b.n
}

export function newest<V extends Version>(versions: readonly [V, ...V[]]): V {
  return versions.reduce((best, version) => (isNewer(version, best) ? version : best))
}
// #endregion order

export const isSame = (a: Version, b: Version): boolean => a.n === b.n && a.w === b.w

// #region quorums
/** Do any `write` and any `read` of `nodes` have a node in common? Only then does a reader meet the last write. */
export function quorumsMeet(nodes: number, write: number, read: number): boolean {
  const possible = [write, read].every((size) => Number.isInteger(size) && size >= 1 && size <= nodes)
  return possible && write + read > nodes
}

/** So many nodes must hold a version before every reader is sure to meet it. */
export const enoughForReaders = (nodes: number, read: number): number => nodes - read + 1
// #endregion quorums

function compareBytes(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => new TextEncoder().encode(text)) as [Uint8Array, Uint8Array]
  const at = left.findIndex((byte, i) => byte !== right[i])
  return at < 0 ? left.length - right.length : left[at]! - (right[at] ?? -1)
}
