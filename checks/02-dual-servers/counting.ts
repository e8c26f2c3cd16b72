import { isDeepStrictEqual } from 'node:util'
import { expect, say, type Answer } from '#harness'
import { counted, field, type Metrics } from '../../labs/02-dual-servers/tests/metrics.ts'
import type { Pair } from '../../labs/02-dual-servers/tests/pair.ts'

const BOUNDS = [5, 10, 25, 50, 100, 250, 500, 1000, '+Inf']

/** Both servers have counted so many requests, and no error. */
export async function expectCounts(pair: Pair, requests: [number, number]): Promise<void> {
  const both = await counted(pair, requests)
  expect(
    both.map(({ errors }) => errors),
    say('errors of server-1 and server-2', 'server-1とserver-2のerrors'),
  ).toEqual([0, 0])
}

/** Every request is in the histogram, and its buckets are cumulative. */
export function expectHistogram(server: string, { requests, latencyMs: { count, buckets } }: Metrics): void {
  expect(count, field(server, 'latencyMs.count')).toBe(requests)
  const bounds = buckets.map(({ le }) => le)
  expect(bounds, field(server, 'latencyMs.buckets[].le')).toEqual(BOUNDS)
  const counts = buckets.map((bucket) => bucket.count)
  const rising = counts.toSorted((a, b) => a - b)
  expect(counts, field(server, 'latencyMs.buckets[].count')).toEqual([...rising.slice(0, -1), count])
}

/** Upper bound of the bucket that holds the 95th percentile of several servers together. */
export function p95(servers: Metrics[]): number | string | undefined {
  const sum = (of: (metrics: Metrics) => number) => servers.reduce((all, metrics) => all + of(metrics), 0)
  const rank = Math.ceil(0.95 * sum(({ latencyMs }) => latencyMs.count))
  return BOUNDS.find((_, i) => sum(({ latencyMs }) => latencyMs.buckets[i]!.count) >= rank)
}

/** The same totals, whichever server was asked. */
export function sameTotals({ body: one }: Answer, { body: two }: Answer): boolean {
  const rounded = (body: Record<string, unknown>) => ({
    ...body,
    avgLatencyMs: Number(body.avgLatencyMs).toFixed(6),
  })
  return Boolean(one && two) && isDeepStrictEqual(rounded(one), rounded(two))
}
