import { decide, type Decision } from '../../../../solutions/06-read-write-splitting/src/classify.ts'

/** What a replica does with a statement, measured on Postgres 18. */
export type OnReplica = 'runs' | 'refuses' | 'runs and is wrong'

export interface Sample {
  sql: string
  onReplica: OnReplica
}

export const SAMPLES = {
  read: { sql: 'SELECT * FROM accounts WHERE id = 7', onReplica: 'runs' },
  cte: {
    sql: "WITH n AS (INSERT INTO audit_log (note) VALUES ('paid') RETURNING id) SELECT id FROM n",
    onReplica: 'refuses',
  },
  locking: { sql: 'SELECT balance FROM accounts WHERE id = 7 FOR UPDATE', onReplica: 'refuses' },
  function: { sql: 'SELECT credit(7, 100)', onReplica: 'refuses' },
  comment: { sql: '-- nightly\nUPDATE accounts SET balance = 0 WHERE id = 7', onReplica: 'refuses' },
  literal: { sql: "SELECT 'insert into accounts' AS text", onReplica: 'runs' },
  advisory: { sql: 'SELECT pg_try_advisory_xact_lock(4711)', onReplica: 'runs and is wrong' },
  begin: { sql: 'BEGIN', onReplica: 'runs and is wrong' },
} as const satisfies Record<string, Sample>

export type SampleName = keyof typeof SAMPLES

export interface Settings {
  sql: string
  strong: boolean
  /** Of 100 statements so many are reads. */
  readPercent: number
  replicas: number
  /** Statements a second that one node carries. */
  capacity: number
  /** Work of replaying a write on a replica, in percent of the work of running it. */
  replayPercent: number
}

export interface Outcome {
  gateway: Decision
  /** Where the seed's regular expression sends it. */
  seed: 'primary' | 'replicas'
  /** What a replica makes of it; undefined for a statement that nobody has tried here. */
  onReplica: OnReplica | undefined
  /** Throughput by number of replicas, 0 to 10. */
  curve: number[]
  throughput: number
  speedUp: number
  /** What one more replica would add. */
  gainOfNext: number
  /** No number of replicas gets above it. */
  ceiling: number
  /** Share of each node that is in use at this throughput. */
  primaryLoad: number
  replicaLoad: number
}

export const MOST_REPLICAS = 10

/** The seed's own line (001). */
const SEED = /^\s*(INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|TRUNCATE)/i

/** Everything that the page shows. Where a statement goes is decided by the solution's own module. */
export function simulate(settings: Settings): Outcome {
  const { sql, strong, capacity, replicas } = settings
  const curve = Array.from({ length: MOST_REPLICAS + 2 }, (_, n) => throughput(settings, n))
  const now = curve[replicas]!
  const reads = settings.readPercent / 100
  const writes = 1 - reads
  const replay = settings.replayPercent / 100
  return {
    gateway: decide({ sql, consistency: strong ? 'strong' : 'eventual' }, []),
    seed: strong || SEED.test(sql) ? 'primary' : 'replicas',
    onReplica: Object.values<Sample>(SAMPLES).find((sample) => sample.sql === sql)?.onReplica,
    curve: curve.slice(0, -1),
    throughput: now,
    speedUp: now / capacity,
    gainOfNext: curve[replicas + 1]! - now,
    ceiling: ceiling(settings),
    primaryLoad: ((replicas === 0 ? 1 : writes) * now) / capacity,
    replicaLoad: replicas === 0 ? 0 : ((reads / replicas + replay * writes) * now) / capacity,
  }
}

/** The primary runs every write, a replica its share of the reads and every write once more. */
export function throughput(
  { readPercent, capacity, replayPercent }: Pick<Settings, 'readPercent' | 'capacity' | 'replayPercent'>,
  replicas: number,
): number {
  if (replicas === 0) return capacity
  const reads = readPercent / 100
  const writes = 1 - reads
  return Math.min(capacity / writes, capacity / (reads / replicas + (replayPercent / 100) * writes))
}

function ceiling({ readPercent, capacity, replayPercent }: Settings): number {
  const writes = 1 - readPercent / 100
  return capacity / (writes * Math.max(1, replayPercent / 100))
}
