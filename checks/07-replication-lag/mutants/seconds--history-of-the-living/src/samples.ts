import { setTimeout as sleep } from 'node:timers/promises'
import { countAlert } from './alerts.ts'
import { SAMPLE_MS } from './config.ts'
import { parseLsn, type Lsn } from './lsn.ts'
import { primaryWatch, replicas, type Replica } from './nodes.ts'

// #region history
/** When the primary was first seen at which position, oldest first. */
let history: { lsn: Lsn; at: number }[] = []
const MOST_HISTORY = 4000

function remember(lsn: Lsn, at: number): void {
  const last = history.at(-1)
  if (!last || last.lsn < lsn) history.push({ lsn, at })
  const oldest = replicas.reduce(
    (low, { replayed }) => (replayed !== null && replayed < low ? replayed : low),
    lsn,
  )
  while (history.length > 1 && history[0]!.lsn <= oldest) history.shift()
  // A replica that is down for long: keep the whole span, at half the resolution.
  if (history.length > MOST_HISTORY) history = history.filter((_, i) => i % 2 === 0)
}

/** Since when the primary has had something that this position does not cover. */
function secondsBehind(replayed: Lsn, now: number): number {
  const missing = history.find(({ lsn }) => lsn > replayed)
  return missing ? (now - missing.at) / 1000 : 0
}
// #endregion history

// #region sample
/** The primary's position in the last sample; null when the primary did not answer. */
export let head: Lsn | null = null
export let samples = 0
let underWay: Promise<void> | undefined

/** Measures now, or waits for the measurement that is under way. */
export function sampleNow(): Promise<void> {
  underWay ??= sample().finally(() => (underWay = undefined))
  return underWay
}

async function sample(): Promise<void> {
  // The primary first: what a replica has replayed by the time it is asked can only be more.
  const at = performance.now()
  head = await primaryWatch.query('SELECT pg_current_wal_lsn()::text AS lsn').then(
    ({ rows }) => parseLsn(rows[0].lsn)!,
    () => null,
  )
  if (head !== null) remember(head, at)
  await Promise.all(replicas.map(look))
}

async function look(replica: Replica): Promise<void> {
  try {
    const { rows } = await replica.watch.query(
      'SELECT pg_last_wal_receive_lsn()::text AS received, pg_last_wal_replay_lsn()::text AS replayed',
    )
    replica.replayed = parseLsn(rows[0].replayed)!
    replica.reached = replica.replayed
    // A replica that has not streamed since its start has received what it has replayed.
    replica.received = parseLsn(rows[0].received ?? '') ?? replica.replayed
    replica.up = true
    replica.lagSeconds = head === null ? null : secondsBehind(replica.replayed, performance.now())
  } catch {
    Object.assign(replica, { up: false, received: null, replayed: null, lagSeconds: null })
  }
}
// #endregion sample

/** Measures every SAMPLE_MS, for ever; resolves after the first time. */
export async function keepSampling(): Promise<void> {
  await backgroundSample()
  void (async () => {
    for (;;) {
      await sleep(SAMPLE_MS, undefined, { ref: false })
      await backgroundSample()
    }
  })()
}

async function backgroundSample(): Promise<void> {
  await sampleNow()
  samples++
  // With the primary gone nothing is known of the lag, neither good nor bad.
  if (head !== null) for (const replica of replicas) countAlert(replica, head)
}
