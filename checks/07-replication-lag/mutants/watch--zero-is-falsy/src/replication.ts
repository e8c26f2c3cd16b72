import { setTimeout as sleep } from 'node:timers/promises'
import { bytesBehind, formatLsn, type Lsn } from './lsn.ts'
import { replicas, type Replica } from './nodes.ts'
import { head, sampleNow, samples } from './samples.ts'

/** The primary can't be asked, and without its position no lag is known. */
class PrimaryUnknown extends Error {}

// #region lag
export async function lag() {
  const now = await measured()
  return {
    samples,
    primary: { lsn: formatLsn(now) },
    replicas: replicas.map((replica) => ({
      name: replica.name,
      up: replica.up,
      receiveLagBytes: behind(now, replica.received),
      replayLagBytes: behind(now, replica.replayed),
      lagSeconds: replica.lagSeconds,
      alert: replica.alert,
    })),
  }
}

async function measured(): Promise<Lsn> {
  await sampleNow()
  if (head === null) throw new PrimaryUnknown('the primary does not say where it is')
  return head
}

function behind(now: Lsn, replica: Lsn | null): number | null {
  return replica === null ? null : bytesBehind(now, replica)
}
// #endregion lag

// #region metrics
/** Prometheus text; what is not known is NaN there. */
export async function metrics(): Promise<string> {
  const now = await measured()
  const gauge = (name: string, value: (replica: Replica) => number | null): string =>
    [
      `# TYPE ${name} gauge`,
      ...replicas.map((replica) => `${name}{replica="${replica.name}"} ${value(replica) ?? 'NaN'}`),
    ].join('\n')
  const gauges = [
    gauge('replication_lag_bytes', ({ replayed }) => behind(now, replayed)),
    gauge('replication_lag_seconds', ({ lagSeconds }) => lagSeconds),
    gauge('replication_alert', ({ alert }) => Number(alert)),
  ]
  return `${gauges.join('\n')}\n`
}
// #endregion metrics

// #region wait
const POLL_MS = 5

type Waited = { reached: true; waitedMs: number } | { reached: false; lagging: string[] }

/** Waits until every replica has applied this position; without one, what the primary has written by now. */
export async function waitForReplicas(_position: Lsn | undefined, timeoutMs: number): Promise<Waited> {
  const begun = performance.now()
  for (;;) {
    await sampleNow()
    // #region zero-is-falsy
    const lagging = replicas.filter((replica) => (replica.lagSeconds || Infinity) > 0.1)
    // #endregion zero-is-falsy
    const waitedMs = performance.now() - begun
    if (lagging.length === 0) return { reached: true, waitedMs }
    if (waitedMs >= timeoutMs) return { reached: false, lagging: lagging.map(({ name }) => name) }
    await sleep(Math.min(POLL_MS, timeoutMs - waitedMs))
  }
}
// #endregion wait
