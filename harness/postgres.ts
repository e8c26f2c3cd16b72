import { lab } from './context.ts'
import { Database } from './database.ts'
import type { PostgresSpec, ReplicatedSpec } from './lab.ts'
import { look } from './look.ts'
import { atEnd, scopeSignal } from './scope.ts'
import { lsn, sqlOnce, type Row } from './sql.ts'
import {
  logMarker,
  statementsOf,
  type LogPosition,
  type Statement,
  type StatementFilter,
} from './statements.ts'
import { note } from './timeline.ts'
import type { NodeInfo, Verb } from './topology.ts'
import { eventuallyTrue } from './wait.ts'

/** The Postgres of this name in the lab's topology; of a replicated component, the primary it began with. */
export function postgres(name: string): StartedPostgres {
  const info =
    lab().nodes.get(name) ??
    [...lab().nodes.values()].find(({ component, role }) => component === name && role === 'primary')
  if (info?.kind !== 'postgres') throw new Error(`this lab's topology has no Postgres ${name}`)
  return new StartedPostgres(info)
}

/** The replicas that a component began with, in order. */
export function replicas(component: string): StartedPostgres[] {
  return [...lab().nodes.values()]
    .filter((info) => info.component === component && info.role === 'replica')
    .map((info) => new StartedPostgres(info))
}

/**
 * A new component instead of this one: for tests that promote, fence or diverge. The next one is made while the test
 * runs. Handles of the old one are dead.
 * @param names of the primary and its replicas, for a test that draws them; default those of `lab.ts`
 */
export async function renew(
  component: string,
  names?: readonly string[],
): Promise<{ primary: StartedPostgres; replicas: StartedPostgres[] }> {
  const nodes = await lab().host.renew(component, names)
  for (const old of [...lab().nodes.values()].filter((info) => info.component === component))
    lab().nodes.delete(old.name)
  for (const info of nodes) lab().nodes.set(info.name, info)
  return { primary: postgres(component), replicas: replicas(component) }
}

/** One more Postgres beside the lab's topology, for this run. */
export async function addPostgres(
  name: string,
  spec: PostgresSpec | ReplicatedSpec,
): Promise<StartedPostgres> {
  const nodes = await lab().host.add(name, spec)
  for (const info of nodes) lab().nodes.set(info.name, info)
  return postgres(name)
}

/** One Postgres server, as an operator and a DBA see it. What is done to it is undone when the test ends. */
export class StartedPostgres {
  readonly info: NodeInfo

  constructor(info: NodeInfo) {
    this.info = info
  }

  get name(): string {
    return this.info.name
  }

  get host(): string {
    return this.info.host
  }

  get port(): number {
    return this.info.port
  }

  /** A database that nobody has used, from the lab's data and the subject's schema; on replicas too, once it is there. */
  async database(): Promise<Database> {
    const name = await lab().host.database(this.info.component)
    if (this.info.role === 'primary') await this.caughtUp()
    return new Database(this, name)
  }

  /** The lab's data and the subject's schema in this server's own database, for a cluster that lives for one test. */
  async databaseInPlace(): Promise<Database> {
    return new Database(this, await lab().host.databaseInPlace(this.info.component))
  }

  /** The same database as seen from this node: a replica's view of the primary's. */
  view(database: Database): Database {
    return new Database(this, database.name)
  }

  /** Runs SQL as the superuser on a connection of its own. */
  sql(text: string, params?: unknown[], { database = 'postgres', ms = 10_000 } = {}): Promise<Row[]> {
    return sqlOnce(this, database, text, params, { ms })
  }

  /**
   * SIGKILL to the server and all its backends. It is started again when the test ends.
   * @param forGood it stays dead: the test has renewed its component
   */
  async kill({ forGood = false } = {}): Promise<void> {
    if (!forGood) atEnd(() => this.#act('start').catch(() => {})) // it runs already: the next run's heal decides
    await this.#act('kill', 'SIGKILL')
  }

  async start(): Promise<void> {
    await this.#act('start', 'start')
  }

  /** A dead server becomes a standby of `from`, by a fresh base copy; it follows by `conninfo`. */
  async reseed(from: StartedPostgres, conninfo: string): Promise<void> {
    note({ from: 'test', to: this.name, kind: 'note', text: `reseed from ${from.name}` })
    await lab().host.reseed(this.name, from.name, conninfo)
  }

  /** SIGSTOP to the server and all its backends, until `thaw()` or the end of the test. */
  async freeze(): Promise<void> {
    atEnd(() => this.#act('thaw').catch(() => {})) // killed meanwhile
    await this.#act('freeze', 'SIGSTOP')
  }

  async thaw(): Promise<void> {
    await this.#act('thaw', 'SIGCONT')
  }

  /** Makes a replica fall behind for certain: resolves when replay really stands still. */
  async pauseReplay(): Promise<void> {
    atEnd(() => this.resumeReplay().catch(() => {})) // promoted or killed meanwhile
    await this.sql('SELECT pg_wal_replay_pause()')
    await eventuallyTrue(
      `${this.name} to pause replay`,
      async () => {
        const [row] = await look(this, 'SELECT pg_get_wal_replay_pause_state() AS state')
        return row?.state === 'paused'
      },
      { signal: scopeSignal() },
    )
    note({ from: 'test', to: this.name, kind: 'note', text: 'replay paused' })
  }

  async resumeReplay(): Promise<void> {
    await this.sql('SELECT pg_wal_replay_resume()')
    note({ from: 'test', to: this.name, kind: 'note', text: 'replay resumed' })
  }

  /** On a primary: every streaming replica has replayed what is written now. */
  async caughtUp(only?: StartedPostgres[]): Promise<void> {
    const target = lsn(await this.position())
    const followers = only ?? replicas(this.info.component)
    await Promise.all(
      followers.map((replica) =>
        eventuallyTrue(
          `${replica.name} to replay what ${this.name} has`,
          async () => {
            const [row] = await look(replica, 'SELECT pg_last_wal_replay_lsn() AS lsn')
            return lsn(row?.lsn) >= target
          },
          // On a busy machine it may have a whole new database to replay first.
          { within: 30_000, signal: scopeSignal() },
        ),
      ),
    )
  }

  /** End of the WAL: written and flushed on a primary, replayed on a replica. */
  async position(): Promise<string> {
    const [row] = await look(
      this,
      'SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END AS lsn',
    )
    return String(row?.lsn)
  }

  /** Makes a replica a primary; resolves when it takes writes. */
  async promote(): Promise<void> {
    note({ from: 'test', to: this.name, kind: 'note', text: 'promote' })
    await this.sql('SELECT pg_promote()')
  }

  async inRecovery(): Promise<boolean> {
    const [row] = await look(this, 'SELECT pg_is_in_recovery() AS standby')
    return row?.standby === true
  }

  /** A certain place in this server's log. */
  marker(): Promise<LogPosition> {
    return logMarker(this.info)
  }

  /** Statements that this server executed, from its log, since a marker. */
  statements(filter: StatementFilter = {}, since: LogPosition = 0): Promise<Statement[]> {
    return statementsOf(this.info, filter, since)
  }

  async #act(verb: Verb, signal?: string): Promise<void> {
    if (signal) note({ from: 'test', to: this.name, kind: 'signal', text: signal })
    await lab().host.act(this.name, verb)
  }
}
