/** All that was ever measured. */
export class Window {
  readonly #values: number[] = []

  add(value: number): void {
    this.#values.push(value)
  }

  get count(): number {
    return this.#values.length
  }

  /** Nearest rank; 0 where nothing was measured. */
  percentile(of: number): number {
    const sorted = this.#values.toSorted((a, b) => a - b)
    return sorted[Math.ceil(of * sorted.length) - 1] ?? 0
  }
}

// #region metrics
export const counts = {
  requests: 0,
  l1: { hits: 0, misses: 0 },
  l2: { hits: 0, misses: 0, errors: 0 },
  db: { reads: 0 },
  invalidations: { sent: 0, received: 0 },
}

export const latencies = new Window()
export const lags = new Window()

export function metrics() {
  const { requests, l1, l2, db, invalidations } = counts
  return {
    requests,
    l1,
    l2,
    db,
    // A number of 0 to 1: it can be compared and, weighted by requests, averaged over servers.
    hitRate: requests === 0 ? 0 : (l1.hits + l2.hits) / requests,
    latencyMs: { count: latencies.count, p50: latencies.percentile(0.5), p99: latencies.percentile(0.99) },
    invalidations: { ...invalidations, lagMs: { p50: lags.percentile(0.5), p99: lags.percentile(0.99) } },
  }
}
// #endregion metrics
