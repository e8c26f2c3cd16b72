/** What a reader must know of an entry to decide whether to refresh it before its end. */
export interface Lifetime {
  /** How long the last computation took. */
  deltaMs: number
  /** End of its fresh life, in the same clock as `now`. */
  freshUntil: number
}

// #region xfetch
/**
 * XFetch: each reader of a fresh entry tosses a coin of its own, and the chance grows as the end comes near: exactly
 * `exp(-left / (deltaMs * beta))`. Slow computations begin earlier by themselves.
 * @param beta eagerness: 1 is the optimum, 0 never refreshes early
 * @param random drawn for this read, 0 < random ≤ 1
 */
export function refreshesNow(entry: Lifetime, now: number, beta: number, random: number): boolean {
  return now + entry.deltaMs * beta * random >= entry.freshUntil
}
// #endregion xfetch
