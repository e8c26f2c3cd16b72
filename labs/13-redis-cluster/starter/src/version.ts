/** Versions are ordered by number, and where two writers chose the same number, by the writer's name. */
export interface Version {
  n: number
  w: string
}

// #region order
// TODO(quorum): which of two versions is newer?
// #endregion order

// #region quorums
// TODO(quorum): do any `write` and any `read` of `nodes` have a node in common?
// #endregion quorums
