import type { Text } from '../text.ts'

/** One server process of a topology, wherever it runs. All that differs between runtimes is behind this. */
export interface ServerNode {
  readonly name: string
  readonly host: string
  /** Stays the same over kill and start. */
  readonly port: number
  /** The port that it tells its clients, where that is another: a link is to be opened there. */
  announced?: number
  /** File that the server's own log goes to. */
  readonly log: string
  /** SIGKILL to the server and all its children; resolves when they are gone. */
  kill(): Promise<void>
  /** Starts it again on the data that it has; resolves when it accepts connections. */
  start(): Promise<void>
  /** SIGSTOP: sockets stay open, nothing answers. Resolves when all its processes stand still. */
  freeze(): Promise<void>
  thaw(): Promise<void>
  /**
   * A Postgres that is down runs again as a standby of `from`, made from a fresh base copy; it follows by `conninfo`.
   * Its old data are set aside.
   */
  reseed(from: ServerNode, conninfo: string): Promise<void>
  /** Ends it for good and removes its data. */
  remove(): Promise<void>
}

export interface PostgresOptions {
  name: string
  /** As in `postgresql.conf`, laid over the harness's own. */
  settings?: Record<string, string | number>
  /** Makes it a streaming replica of the server that this machine reaches at `port`. */
  follow?: { port: number; of: ServerNode }
  /** Its WAL stands a little below 4 GiB, in segments of 1 MB. */
  far?: boolean
}

export interface RedisOptions {
  name: string
  settings?: Record<string, string | number>
}

/** What provides the topology: containers, or servers installed on this machine. */
export interface Runtime {
  readonly kind: 'docker' | 'native'
  /** Why this one, for the first line of every run. */
  readonly why: Text
  postgres(options: PostgresOptions): Promise<ServerNode>
  redis(options: RedisOptions): Promise<ServerNode>
  /** Empty cluster nodes that reach each other; forming the cluster is done over Redis's own commands. */
  redisCluster(options: RedisOptions & { nodes: number; behindLinks?: boolean }): Promise<ServerNode[]>
  /** Addresses a link must listen on so that a server of the topology reaches it, and the name that server uses. */
  readonly reach: { listen: readonly string[]; host: string }
  /** Ends everything that it started. */
  close(): Promise<void>
}

/** Our own settings of every Postgres: fast, but an acknowledged row is still a row; every statement in the log. */
export const POSTGRES_SETTINGS: Record<string, string | number> = {
  fsync: 'off',
  wal_level: 'replica',
  hot_standby: 'on',
  max_wal_senders: 10,
  max_replication_slots: 10,
  wal_keep_size: '256MB',
  shared_buffers: '32MB',
  max_connections: 100,
  log_statement: 'all',
  log_timezone: 'UTC',
  log_line_prefix: '%n|%p|%a|%d| ',
  log_min_messages: 'warning',
  wal_retrieve_retry_interval: '50ms',
}

export const REDIS_SETTINGS: Record<string, string | number> = {
  save: '',
  appendonly: 'no',
  'protected-mode': 'no',
}
