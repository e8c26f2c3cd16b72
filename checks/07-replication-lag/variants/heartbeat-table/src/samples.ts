import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'pg'
import { countAlert } from './alerts.ts'
import { DATABASE_URL, SAMPLE_MS } from './config.ts'
import { parseLsn, type Lsn } from './lsn.ts'
import { primaryWatch, replicas, type Replica } from './nodes.ts'

/** Its commit waits for no replica: it is how one that does not answer is noticed. */
const heart = new Pool({ connectionString: DATABASE_URL, max: 1, options: '-c synchronous_commit=local' })
heart.on('error', () => {})

/** Whatever else is written, the primary always has something new for the replicas. */
async function keepBeating(): Promise<void> {
  for (;;) {
    await heart.query('UPDATE heartbeat SET at = clock_timestamp()').catch(() => {}) // the primary is away
    await sleep(SAMPLE_MS, undefined, { ref: false })
  }
}

// #region sample
/** The primary's position in the last sample; null when the primary did not answer. */
export let head: Lsn | null = null
export let samples = 0
const BEAT = 'extract(epoch FROM at)::float AS at'
let underWay: Promise<void> | undefined

/** Measures now, or waits for the measurement that is under way. */
export function sampleNow(): Promise<void> {
  underWay ??= sample().finally(() => (underWay = undefined))
  return underWay
}

async function sample(): Promise<void> {
  // The primary first: what a replica has replayed by the time it is asked can only be more.
  const beat = await primaryWatch
    .query(`SELECT pg_current_wal_lsn()::text AS lsn, ${BEAT} FROM heartbeat`)
    .then(({ rows }) => rows[0] as { lsn: string; at: number })
    .catch(() => undefined)
  head = beat ? parseLsn(beat.lsn)! : null
  await Promise.all(replicas.map((replica) => look(replica, beat?.at)))
}

async function look(replica: Replica, lastBeat: number | undefined): Promise<void> {
  try {
    const { rows } = await replica.watch.query(
      `SELECT pg_last_wal_receive_lsn()::text AS received, pg_last_wal_replay_lsn()::text AS replayed, ${BEAT} FROM heartbeat`,
    )
    replica.replayed = parseLsn(rows[0].replayed)!
    replica.reached = replica.replayed
    // A replica that has not streamed since its start has received what it has replayed.
    replica.received = parseLsn(rows[0].received ?? '') ?? replica.replayed
    replica.up = true
    const hasAll = head !== null && replica.replayed >= head
    replica.lagSeconds = lastBeat === undefined ? null : hasAll ? 0 : Math.max(0, lastBeat - rows[0].at)
  } catch {
    Object.assign(replica, { up: false, received: null, replayed: null, lagSeconds: null })
  }
}
// #endregion sample

/** Measures every SAMPLE_MS, for ever; resolves after the first time. */
export async function keepSampling(): Promise<void> {
  void keepBeating()
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
