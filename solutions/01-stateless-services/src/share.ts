// #region share
/** How many of `total` connections worker `index` gets, of `workers`; all workers together get exactly `total`. */
export function share(total: number, workers: number, index: number): number {
  return Math.floor(total / workers) + (index < total % workers ? 1 : 0)
}
// #endregion share
