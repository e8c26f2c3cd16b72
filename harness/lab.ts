import type { Text } from './text.ts'

/** One Postgres that stands alone. */
export interface PostgresSpec {
  kind: 'postgres'
  /** Settings beside the harness's own, as `postgresql.conf` names them. */
  settings?: Record<string, string | number>
}

/** A primary and its streaming replicas; the key in the topology names the primary. */
export interface ReplicatedSpec {
  kind: 'replicated'
  /** How many, named `<primary>-replica-N`; or their names. */
  replicas: number | readonly string[]
  settings?: Record<string, string | number>
  /** Every run begins a few `pg_switch_wal()` below 4 GiB of WAL, where the text of a position changes its length. */
  far?: boolean
}

export interface RedisSpec {
  kind: 'redis'
  settings?: Record<string, string | number>
}

/** Three Redis masters that share the 16,384 slots. */
export interface RedisClusterSpec {
  kind: 'redis-cluster'
  settings?: Record<string, string | number>
  /** Nodes send their clients to links, which `redisCluster()` opens, and not to themselves. */
  behindLinks?: boolean
}

export type ComponentSpec = PostgresSpec | ReplicatedSpec | RedisSpec | RedisClusterSpec

/** The real components of a lab by name. Names are the ones that learners read: `pg-1`, `redis`. */
export type Topology = Record<string, ComponentSpec>

export interface StepSpec {
  /** Unique in its lab, permanent, never reused. It is the name of the step's test and check files too. */
  id: string
  title: Text
  points: number
  /** The ladder, from a question to nearly the code. */
  hints: readonly [Text, Text, Text]
  /** Already holds on the starter and must survive the change. */
  guard?: boolean
  /** Milliseconds for red tests and checks together. Default 20,000. */
  limit?: number
  /** Anchor on the chapter page; the step's id where nothing is said. */
  section?: string
}

export interface LabSpec {
  /** Not finished: found only where it is named, left out of lists, of the site, and of what `.ci/run` proves. */
  draft?: boolean
  title: Text
  /** One or two sentences for lists: what breaks, and what the reader builds. */
  summary: Text
  /** Entry points `src/<role>.ts`. */
  roles: readonly string[]
  topology: Topology
  steps: readonly StepSpec[]
  /** Milliseconds that the whole lab, checks included, may take warm on the native runtime. */
  budget: number
}

/** Declares a lab. The folder's name gives chapter number and permanent id: `02-dual-servers` is lab `dual-servers`. */
export function defineLab<const L extends LabSpec>(lab: L): L {
  return lab
}
