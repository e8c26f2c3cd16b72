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

export interface LoopResult {
  done: number
  perSecond: number
  /** Milliseconds of each call, in order of ending. */
  latencies: number[]
}

/**
 * A closed loop over whatever a client does: each of so many clients begins again when it is done, for so long. For what
 * one URL can't say: a request that goes to the owner of its key, a read after a write.
 * @param one gets the client's number and how many calls it has made
 */
export async function closedLoop(
  clients: number,
  seconds: number,
  one: (client: number, turn: number) => Promise<unknown>,
): Promise<LoopResult> {
  const latencies: number[] = []
  const begun = performance.now()
  const end = begun + seconds * 1000
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let turn = 0; performance.now() < end; turn++) {
        const started = performance.now()
        await one(client, turn)
        latencies.push(performance.now() - started)
      }
    }),
  )
  const done = latencies.length
  return { done, perSecond: done / ((performance.now() - begun) / 1000), latencies }
}
