import { expect, say, type StartedRole } from '#harness'

/** Name of the metric → replica → value, as Prometheus reads the text. */
export async function metricsOf(server: StartedRole): Promise<Record<string, Record<string, number>>> {
  const answer = await server.get('/metrics')
  expect(answer).toAnswer(200)
  const found: Record<string, Record<string, number>> = {}
  for (const line of answer.text.split('\n')) {
    if (!line.trim() || line.startsWith('#')) continue
    const match = /^([a-z_]+)\{(?:[^}]*,)?\s*replica="([^"]+)"[^}]*\}\s+(\S+)(?:\s+\d+)?$/.exec(line.trim())
    if (!match) {
      const known = !line.startsWith('replication_')
      expect(known, say(`a line of /metrics: ${line}`, `/metricsの行：${line}`)).toBe(true)
      continue
    }
    const [, name, replica, value] = match
    found[name!] = { ...found[name!], [replica!]: value === '+Inf' ? Infinity : Number(value) }
  }
  return found
}
