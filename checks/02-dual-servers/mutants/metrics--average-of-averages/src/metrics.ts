const BOUNDS = [5, 10, 25, 50, 100, 250, 500, 1000, '+Inf'] as const

type Bound = (typeof BOUNDS)[number]

/** Counts of latencies. Buckets are cumulative: each holds every request up to its bound. */
export interface Histogram {
  count: number
  sum: number
  buckets: { le: Bound; count: number }[]
}

/** What this server has served since it started. */
export interface Traffic {
  requests: number
  errors: number
  latencyMs: Histogram
}

export interface ServerMetrics extends Traffic {
  server: string
  partition: string
  totals: { users: number; settings: number; pendingSyncs: number }
  connections: { total: number; idle: number; waiting: number }
}

export function newTraffic(): Traffic {
  return { requests: 0, errors: 0, latencyMs: newHistogram() }
}

export function countRequest(traffic: Traffic, status: number, ms: number): void {
  traffic.requests += 1
  if (status >= 500) traffic.errors += 1
  observe(traffic.latencyMs, ms)
}

function newHistogram(): Histogram {
  return { count: 0, sum: 0, buckets: BOUNDS.map((le) => ({ le, count: 0 })) }
}

function observe(histogram: Histogram, ms: number): void {
  histogram.count += 1
  histogram.sum += ms
  for (const bucket of histogram.buckets) if (bucket.le === '+Inf' || ms <= bucket.le) bucket.count += 1
}

// #region merge
/** Adds histograms up, bucket by bucket. This is what averages and percentiles don't allow. */
function merge(histograms: Histogram[]): Histogram {
  return {
    count: sumOf(histograms, ({ count }) => count),
    sum: sumOf(histograms, ({ sum }) => sum),
    buckets: BOUNDS.map((le, i) => ({ le, count: sumOf(histograms, (h) => h.buckets[i]?.count ?? 0) })),
  }
}

/** Upper bound of the bucket that holds the quantile: as exact as a histogram can say it. */
function quantile({ count, buckets }: Histogram, q: number): Bound | null {
  if (count === 0) return null
  return buckets.find((bucket) => bucket.count >= Math.ceil(q * count))?.le ?? '+Inf'
}

/** Both servers as one. */
export function total(reports: ServerMetrics[], missing: string[]) {
  const servers = reports.toSorted((a, b) => (a.server < b.server ? -1 : 1))
  const requests = sumOf(servers, (metrics) => metrics.requests)
  const errors = sumOf(servers, (metrics) => metrics.errors)
  const latency = merge(servers.map(({ latencyMs }) => latencyMs))
  const ofAll = (part: number) => (requests === 0 ? 0 : part / requests)
  return {
    servers: servers.map(({ server }) => server),
    missing,
    requests,
    errors,
    errorRate: ofAll(errors),
    avgLatencyMs: mean(servers.map(average).filter((ms) => ms !== null)),
    p95LatencyMs: quantile(latency, 0.95),
    share: Object.fromEntries(servers.map((metrics) => [metrics.server, ofAll(metrics.requests)])),
    users: sumOf(servers, ({ totals }) => totals.users),
    pendingSyncs: sumOf(servers, ({ totals }) => totals.pendingSyncs),
  }
}
// #endregion merge

function average({ latencyMs: { count, sum } }: ServerMetrics): number | null {
  return count === 0 ? null : sum / count
}

function mean(values: number[]): number | null {
  return values.length === 0 ? null : sumOf(values, (value) => value) / values.length
}

function sumOf<T>(items: T[], number: (item: T) => number): number {
  return items.reduce((sum, item) => sum + number(item), 0)
}
