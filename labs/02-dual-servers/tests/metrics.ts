import { any, eventually, expect, fail, same, say, type StartedRole, type Text } from '#harness'
import type { Pair } from './pair.ts'

/** The parts of `GET /api/metrics` that tests compute with. */
export interface Metrics {
  requests: number
  errors: number
  latencyMs: { count: number; sum: number; buckets: { le: number | '+Inf'; count: number }[] }
  totals: { users: number; settings: number; pendingSyncs: number }
  connections: { total: number; idle: number; waiting: number }
}

const COUNT = any(Number)

/** A field of a server's answer, as a learner reads it. */
export function field(server: string, path: string): Text {
  return say(`${path} of ${server}`, `${server}の${path}`)
}

/** What one server says of itself. */
export async function metricsOf(server: StartedRole): Promise<Metrics> {
  const answer = await server.get('/api/metrics')
  expect(answer).toAnswer(200, {
    server: server.name,
    requests: COUNT,
    errors: COUNT,
    latencyMs: { count: COUNT, sum: COUNT, buckets: any(Array) },
    totals: { users: COUNT, settings: COUNT, pendingSyncs: COUNT },
    connections: { total: COUNT, idle: COUNT, waiting: COUNT },
  })
  return answer.body
}

/** What both say of themselves. */
export async function ofBoth({ server1, server2 }: Pair): Promise<[Metrics, Metrics]> {
  return [await metricsOf(server1), await metricsOf(server2)]
}

/** What both say once each has counted so many requests: a server may count a moment after its answer has left. */
export async function counted(pair: Pair, requests: [number, number]): Promise<[Metrics, Metrics]> {
  const label = say('requests of server-1 and server-2', 'server-1とserver-2のrequests')
  let both = await ofBoth(pair)
  const counts = () => both.map((metrics) => metrics.requests)
  const look = async () => {
    both = await ofBoth(pair)
    return counts()
  }
  // Too many never come down again: they are told at once.
  await eventually(label, look, (seen) => seen.every((count, i) => count >= requests[i]!))
  expect(counts(), label).toEqual(requests)
  return both
}

/** `avgLatencyMs` is the average over the requests of all servers. */
export function expectAverage(seen: unknown, servers: Metrics[]): void {
  const sum = sumOf(servers.map(({ latencyMs }) => latencyMs.sum))
  const count = sumOf(servers.map(({ latencyMs }) => latencyMs.count))
  const close = (value: number) => typeof seen === 'number' && Math.abs(seen - value) <= 1e-6
  if (close(sum / count)) return
  const means = servers.map(({ latencyMs }) => latencyMs.sum / latencyMs.count)
  const round = (value: number) => value.toFixed(2)
  const each = means.map(round)
  fail(
    say(
      `avgLatencyMs ${round(sum / count)} (${round(sum)} ms / ${count} requests)`,
      `avgLatencyMsが${round(sum / count)}（${round(sum)}ミリ秒÷${count}件）`,
    ),
    close(sumOf(means) / means.length)
      ? say(
          `${round(seen as number)}, the average of the averages ${each.join(' and ')}`,
          `${round(seen as number)}。平均${each.join('と')}をさらに平均した値`,
        )
      : same(String(seen)),
  )
}

const sumOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0)
