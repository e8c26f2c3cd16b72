import autocannon from 'autocannon'
import { note } from './timeline.ts'

export interface LoadOptions {
  url: string
  /** Clients at once. Default 10. */
  connections?: number
  /** Requests in all; else for so long. */
  amount?: number
  /** Seconds. */
  duration?: number
  /** Open loop: requests per second over all clients, whatever the answers take. Default: closed loop, each client asks again when answered. */
  rate?: number
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  headers?: Record<string, string>
  body?: string
  /** Paths drawn in turn by each client, instead of the url's own. */
  requests?: {
    method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
    path: string
    headers?: Record<string, string>
    body?: string
  }[]
}

export interface LoadResult {
  /** Answers, whatever their status. */
  answers: number
  perSecond: number
  /** Milliseconds. */
  latency: { average: number; p50: number; p90: number; p99: number; max: number }
  /** By status class. */
  ok: number
  non2xx: number
  /** Connections that broke or timed out. */
  errors: number
  statuses: Record<string, number>
}

/** Generates load with autocannon and reads what the clients saw. */
export async function load(options: LoadOptions): Promise<LoadResult> {
  const { url, connections = 10, amount, duration = 5, rate, requests, ...request } = options
  note({ from: 'load', to: new URL(url).host, kind: 'note', text: `load: ${connections} clients` })
  const result = await autocannon({
    url,
    connections,
    ...(amount === undefined ? { duration } : { amount }),
    ...(rate !== undefined && { overallRate: rate }),
    ...(requests && { requests }),
    ...request,
  })
  const statuses = Object.fromEntries(
    Object.entries(result.statusCodeStats ?? {}).map(([status, { count = 0 }]) => [status, count]),
  )
  return {
    answers: result.requests.total,
    perSecond: result.requests.total / result.duration,
    latency: {
      average: result.latency.average,
      p50: result.latency.p50,
      p90: result.latency.p90,
      p99: result.latency.p99,
      max: result.latency.max,
    },
    ok: result['2xx'],
    non2xx: result.non2xx,
    errors: result.errors + result.timeouts,
    statuses,
  }
}

/**
 * So many at once: all are started in the same turn. `sent` resolves when each has been started, `done` with all results
 * in order.
 */
export function burst<T>(
  count: number,
  one: (index: number) => Promise<T>,
): { sent: Promise<void>; done: Promise<T[]> } {
  const all = Array.from({ length: count }, (_, i) => one(i))
  // One turn of the event loop: the requests have left this process by then.
  return { sent: new Promise((resolve) => setImmediate(resolve)), done: Promise.all(all) }
}
