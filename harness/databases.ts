import { createHash } from 'node:crypto'
import { quoted, sqlOnce, type Address } from './sql.ts'

/** A statement of `data.sql` or of the subject's `schema.sql` that Postgres refused. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError'
  readonly file: string
  readonly line: number | undefined

  constructor(file: string, text: string, cause: unknown) {
    const position = Number((cause as { position?: string }).position)
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.file = file
    this.line = position ? text.slice(0, position).split('\n').length : undefined
  }
}

/** The SQL that a template is made of, in this order. */
export interface TemplateSource {
  /** File name for messages. */
  file: string
  sql: string
  /** `postgres` for the lab's own data (it may grant), `app` for the subject's schema. */
  user: 'postgres' | 'app'
}

/** How many clones of the template wait ready: taking one then costs nothing. */
const SPARES = 2

/** Fresh databases from a template, one set for each Postgres component. */
export class Databases {
  readonly #addressOf: (component: string) => Address
  readonly #sources = new Map<string, TemplateSource[]>()
  readonly #templates = new Map<string, Promise<string>>()
  readonly #spares = new Map<string, Promise<string>[]>()
  readonly #inPlace = new Map<string, Promise<string>>()
  readonly #taken: { address: Address; name: string | Promise<string> }[] = []
  #count = 0

  constructor(addressOf: (component: string) => Address) {
    this.#addressOf = addressOf
  }

  /** What the next databases of this component are made of. Changed SQL makes a new template. */
  use(component: string, sources: TemplateSource[]): void {
    const before = this.#sources.get(component)
    this.#sources.set(component, sources)
    if (before && keyOf(before) !== keyOf(sources)) this.#discard(component)
  }

  /** Builds the template and the first spare clones now. @throws {SchemaError} */
  async prepare(component: string): Promise<void> {
    await this.#template(component)
    this.#refill(component)
  }

  /** A database nobody has used: its name. */
  async take(component: string): Promise<string> {
    await this.#template(component)
    this.#refill(component)
    const spare = this.#spares.get(component)!.shift()!
    // It may have been in the making when a test killed its server.
    const name = await spare.catch(() => this.#clone(component))
    this.#refill(component)
    this.#taken.push({ address: this.#addressOf(component), name })
    return name
  }

  /** The SQL run in the server's own database `postgres`: for a cluster of one test a clone would be waste. Its name. */
  inPlace(component: string): Promise<string> {
    const made = this.#inPlace.get(component) ?? this.#fillOwn(component)
    this.#inPlace.set(component, made)
    return made
  }

  /** Drops what was taken, and what was made of SQL that has changed since: nobody looks at it again. */
  async dropTaken(): Promise<void> {
    await Promise.all(
      this.#taken.splice(0).map(async ({ address, name }) => {
        const made = await Promise.resolve(name).catch(() => undefined)
        // Its server may be gone with everything on it.
        if (made) await drop(address, made).catch(() => {})
      }),
    )
  }

  /** The component's server is another one now. */
  forget(component: string): void {
    this.#templates.delete(component)
    this.#spares.delete(component)
    this.#inPlace.delete(component)
  }

  /** The component's databases are of no more use; its server stays. */
  #discard(component: string): void {
    const address = this.#addressOf(component)
    const template = this.#templates.get(component)
    for (const name of [...(this.#spares.get(component) ?? []), ...(template ? [template] : [])])
      this.#taken.push({ address, name })
    this.forget(component)
  }

  #refill(component: string): void {
    const spares = this.#spares.get(component) ?? []
    this.#spares.set(component, spares)
    while (spares.length < SPARES) {
      const clone = this.#clone(component)
      clone.catch(() => {}) // whoever takes it gets another
      spares.push(clone)
    }
  }

  async #clone(component: string): Promise<string> {
    const template = await this.#template(component)
    const name = `lab_${process.pid}_${++this.#count}`
    const sql = `CREATE DATABASE ${quoted(name)} TEMPLATE ${quoted(template)} OWNER app STRATEGY FILE_COPY`
    await sqlOnce(this.#addressOf(component), 'postgres', sql)
    return name
  }

  async #template(component: string): Promise<string> {
    const known = this.#templates.get(component)
    if (known) return known
    const made = this.#makeTemplate(component)
    this.#templates.set(component, made)
    // The next run tries again: it may have been the server that failed.
    made.catch(() => {
      if (this.#templates.get(component) === made) this.#templates.delete(component)
    })
    return made
  }

  async #makeTemplate(component: string): Promise<string> {
    const sources = this.#sources.get(component) ?? []
    const address = this.#addressOf(component)
    const name = `template_${keyOf(sources)}_${++this.#count}`
    // Copied as files: through the WAL it would be 7 MB more for every replica to replay.
    await sqlOnce(address, 'postgres', `CREATE DATABASE ${quoted(name)} OWNER app STRATEGY FILE_COPY`)
    await apply(address, name, sources).catch(async (error: unknown) => {
      await drop(address, name).catch(() => {}) // half made: not worth a second failure
      throw error
    })
    return name
  }

  async #fillOwn(component: string): Promise<string> {
    const address = this.#addressOf(component)
    await sqlOnce(address, 'postgres', 'ALTER DATABASE postgres OWNER TO app')
    await apply(address, 'postgres', this.#sources.get(component) ?? [])
    return 'postgres'
  }
}

/** @throws {SchemaError} */
async function apply(address: Address, database: string, sources: TemplateSource[]): Promise<void> {
  for (const { file, sql, user } of sources) {
    await sqlOnce(address, database, sql, undefined, { user }).catch((error: unknown) => {
      throw new SchemaError(file, sql, error)
    })
  }
}

async function drop(address: Address, name: string): Promise<void> {
  await sqlOnce(address, 'postgres', `DROP DATABASE IF EXISTS ${quoted(name)} WITH (FORCE)`)
}

function keyOf(sources: TemplateSource[]): string {
  return createHash('sha256').update(JSON.stringify(sources)).digest('hex').slice(0, 10)
}
