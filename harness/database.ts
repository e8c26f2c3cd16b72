import pg from 'pg'
import type { StartedPostgres } from './postgres.ts'
import { atEnd, currentScope, scopeSignal } from './scope.ts'
import { endClient, quoted, type Row } from './sql.ts'
import { note } from './timeline.ts'
import { eventuallyTrue } from './wait.ts'

export interface UrlOptions {
  /** Path to the server: a link in front of it. Default: straight. */
  via?: { host: string; port: number }
  user?: string
}

export interface ActivityFilter {
  application?: string
  /** Only backends that wait for a lock. */
  waiting?: boolean
  /** Only backends whose present or last statement matches, as a regular expression of Postgres. */
  query?: string
}

/** A backend of a database, from `pg_stat_activity`. */
export interface Backend {
  pid: number
  application: string
  state: string
  waitEvent: string | null
  query: string
}

/** A lock that the test holds. */
export interface HeldLock {
  /** Ends the transaction that holds it. */
  release(): Promise<void>
  /** Resolves when so many backends wait for a lock in this database. */
  waiters(count: number, application?: string): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

/** One database of one server, made for one test or test file. */
export class Database {
  readonly server: StartedPostgres
  readonly name: string
  readonly #scope = currentScope()
  readonly #own = new Kept(() => this.client({ scope: this.#scope }))
  readonly #eyes = new Kept(() => this.client({ scope: this.#scope }))

  constructor(server: StartedPostgres, name: string) {
    this.server = server
    this.name = name
  }

  /** What a role gets as `DATABASE_URL`. */
  url(application: string, { via = this.server, user = 'app' }: UrlOptions = {}): string {
    return `postgres://${user}@${via.host}:${via.port}/${this.name}?application_name=${encodeURIComponent(application)}`
  }

  /** Rows, as the superuser, straight at the server. One connection serves the whole test; a broken one is replaced. */
  async sql(text: string, params?: unknown[]): Promise<Row[]> {
    const client = await this.#own.get()
    return (await client.query(text, params)).rows as Row[]
  }

  /** A client of its own, straight at the server or `via` a link in front of it, ended with the test. */
  async client({
    user = 'postgres',
    application = 'harness',
    via = this.server as { host: string; port: number },
    scope = currentScope(),
  } = {}): Promise<pg.Client> {
    const { host, port } = via
    const client = new pg.Client({
      host,
      port,
      user,
      database: this.name,
      application_name: application,
      connectionTimeoutMillis: 10_000,
    })
    client.on('error', () => {}) // the server may die by the test's own hand; the next statement says so
    await client.connect()
    scope.add(() => endClient(client))
    return client
  }

  /** Backends of this database, looked at from a connection of its own: inside a transaction the view stands still. */
  async activity({ application, waiting, query }: ActivityFilter = {}): Promise<Backend[]> {
    const eyes = await this.#eyes.get()
    const { rows } = await eyes.query<Row>(
      `SELECT pid, application_name, state, wait_event_type, query FROM pg_stat_activity
       WHERE datname = $1 AND backend_type = 'client backend' AND application_name <> 'harness'
         AND ($2::text IS NULL OR application_name = $2)
         AND ($3::boolean IS NOT TRUE OR wait_event_type = 'Lock')
         AND ($4::text IS NULL OR query ~* $4)`,
      [this.name, application ?? null, waiting ?? null, query ?? null],
    )
    return rows.map((row) => ({
      pid: row.pid as number,
      application: row.application_name as string,
      state: row.state as string,
      waitEvent: row.wait_event_type as string | null,
      query: row.query as string,
    }))
  }

  /** `LOCK TABLE`, held until released or the end of the test. */
  async holdLock(table: string, mode = 'EXCLUSIVE'): Promise<HeldLock> {
    return this.hold(`LOCK TABLE ${quoted(table)} IN ${mode} MODE`, `lock ${table} (${mode})`)
  }

  /** Any statement in a transaction that stays open until released: a row lock, an advisory lock. */
  async hold(statement: string, label = statement): Promise<HeldLock> {
    const client = await this.client()
    await client.query('BEGIN')
    await client.query(statement)
    note({ from: 'test', to: this.server.name, kind: 'note', text: label })
    let held = true
    const release = async (): Promise<void> => {
      if (!held) return
      held = false
      note({ from: 'test', to: this.server.name, kind: 'note', text: `release ${label}` })
      await client.query('COMMIT').catch(() => {}) // the server is gone, and the lock with it
    }
    atEnd(release)
    const waiters = async (count: number, application?: string): Promise<void> => {
      await eventuallyTrue(
        `${count} backends of ${application ?? this.name} to wait for a lock`,
        async () => (await this.activity({ waiting: true, application })).length >= count,
        { signal: scopeSignal() },
      )
    }
    return { release, waiters, [Symbol.asyncDispose]: release }
  }

  /**
   * Makes a kind of statement wait until released, wherever it comes from: a trigger on the table waits for an advisory
   * lock that the test holds.
   * @param at `statement`: when it runs; `commit`: when its transaction commits (a deferred constraint trigger)
   */
  async holdStatement(
    table: string,
    events: string,
    at: 'statement' | 'commit' = 'statement',
  ): Promise<HeldLock> {
    const key = 900_000 + Math.floor(Math.random() * 100_000)
    const name = quoted(`hold_${key}`)
    await this.sql(
      `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS
       $$BEGIN PERFORM pg_advisory_xact_lock_shared(${key}); IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END$$`,
    )
    await this.sql(
      at === 'commit'
        ? `CREATE CONSTRAINT TRIGGER ${name} AFTER ${events} ON ${quoted(table)} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ${name}()`
        : `CREATE TRIGGER ${name} BEFORE ${events} ON ${quoted(table)} FOR EACH ROW EXECUTE FUNCTION ${name}()`,
    )
    return this.hold(`SELECT pg_advisory_xact_lock(${key})`, `hold ${events} on ${table} at ${at}`)
  }
}

/** A client that is connected on first use, and again after its server was killed or restarted. */
class Kept {
  readonly #connect: () => Promise<pg.Client>
  #client: Promise<pg.Client> | undefined

  constructor(connect: () => Promise<pg.Client>) {
    this.#connect = connect
  }

  get(): Promise<pg.Client> {
    if (this.#client) return this.#client
    const made = this.#connect()
    const forget = (): void => {
      if (this.#client === made) this.#client = undefined
    }
    this.#client = made
    made.then((client) => client.once('end', forget).once('error', forget), forget)
    return made
  }
}
