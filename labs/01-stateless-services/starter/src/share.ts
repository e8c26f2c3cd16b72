// #region share
/** How many of `total` connections worker `index` gets, of `workers`; all workers together get exactly `total`. */
export function share(total: number, workers: number, index: number): number {
  // TODO(scale-up): 8 connections and 3 workers are 3, 3 and 2.
  throw new Error(`not implemented: the share of worker ${index} of ${workers} in ${total}`)
}
// #endregion share
