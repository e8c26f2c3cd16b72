import { any, expect, fail, same, say, type StartedRole, type Text } from '#harness'
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

/** `avgLatencyMs` is the average over the requests of all servers. */
export function expectAverage(seen: unknown, servers: Metrics[]): void {
  const sum = total(servers.map(({ latencyMs }) => latencyMs.sum))
  const count = total(servers.map(({ latencyMs }) => latencyMs.count))
  const close = (value: number) => typeof seen === 'number' && Math.abs(seen - value) <= 1e-6
  if (close(sum / count)) return
  const means = servers.map(({ latencyMs }) => latencyMs.sum / latencyMs.count)
  const round = (value: number) => value.toFixed(2)
  const each = means.map(round)
  fail(
    say(
      `avgLatencyMs ${round(sum / count)} (${round(sum)} ms / ${count} requests)`,
      `avgLatencyMsが${round(sum / count)}(${round(sum)}ミリ秒÷${count}件)`,
    ),
    close(total(means) / means.length)
      ? say(
          `${round(seen as number)}, the average of the averages ${each.join(' and ')}`,
          `${round(seen as number)}。平均${each.join('と')}をさらに平均した値`,
        )
      : same(String(seen)),
  )
}

const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0)
