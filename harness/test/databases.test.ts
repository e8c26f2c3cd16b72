import { expect, test } from 'vitest'
import { postgres, replicas, type Database, type StartedPostgres } from '../index.ts'
import { SchemaError, type TemplateSource } from '../databases.ts'
import { useTopology } from './stage.ts'

const stage = useTopology({ pg: { kind: 'postgres' }, pair: { kind: 'replicated', replicas: 1 } })

const data = (sql: string): TemplateSource => ({ file: 'data.sql', sql, user: 'postgres' })
const schema = (sql: string): TemplateSource => ({ file: 'schema.sql', sql, user: 'app' })

/** One template and the two clones that wait ready. */
const MOST = 3

/** Databases that stand on a server, Postgres's own left out. */
async function standing(server: StartedPostgres): Promise<string[]> {
  const rows = await server.sql(
    "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY 1",
  )
  return rows.map((row) => String(row.datname))
}

async function notes(
  sources: TemplateSource[] = [data('CREATE TABLE notes (id int, text text)')],
): Promise<Database> {
  stage.topology.databases.use('pg', [data('CREATE TABLE notes (id int, text text)'), ...sources.slice(1)])
  return postgres('pg').database()
}

test('each database is fresh: what one test wrote, the next never sees', async () => {
  const one = await notes()
  await one.sql("INSERT INTO notes VALUES (1, 'mine')")
  const two = await postgres('pg').database()
  expect(two.name).not.toBe(one.name)
  expect(await two.sql('SELECT * FROM notes')).toEqual([])
})

test('a run leaves nothing behind: no database grows in number over ten runs', async () => {
  const sizes: number[] = []
  for (let run = 0; run < 10; run++) {
    await notes()
    await postgres('pg').database()
    await stage.nextRun()
    sizes.push((await standing(postgres('pg'))).length)
  }
  expect(Math.max(...sizes)).toBeLessThanOrEqual(MOST)
})

test('a connection that a run left open does not keep its database', async () => {
  const db = await notes()
  await db.client({ user: 'app', application: 'leaky' }) // ended by its own database's end
  await db.client({ user: 'app', application: 'leaky', scope: { add: () => {} } })
  await stage.nextRun()
  expect(await standing(postgres('pg'))).not.toContain(db.name)
})

test('a changed schema makes a new template, and the old one goes', async () => {
  stage.topology.databases.use('pg', [schema('CREATE TABLE first (id int)')])
  const before = await postgres('pg').database()
  expect(await before.sql("SELECT to_regclass('first') AS found")).toEqual([{ found: 'first' }])
  await stage.nextRun()
  const old = await standing(postgres('pg'))
  stage.topology.databases.use('pg', [schema('CREATE TABLE second (id int)')])
  const after = await postgres('pg').database()
  expect(await after.sql("SELECT to_regclass('first') AS one, to_regclass('second') AS two")).toEqual([
    { one: null, two: 'second' },
  ])
  await stage.nextRun()
  const now = await standing(postgres('pg'))
  expect(now.filter((name) => old.includes(name))).toEqual([])
  expect(now.length).toBeLessThanOrEqual(MOST)
})

test('the lab’s data is the superuser’s, the schema is the application’s, and app owns what it made', async () => {
  const sources = [
    data('CREATE TABLE given (id int); GRANT SELECT ON given TO app'),
    schema('CREATE TABLE made (id int); INSERT INTO made SELECT count(*) FROM given'),
  ]
  stage.topology.databases.use('pg', sources)
  const db = await postgres('pg').database()
  const rows = await db.sql(
    "SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
  )
  expect(rows).toEqual([
    { tablename: 'given', tableowner: 'postgres' },
    { tablename: 'made', tableowner: 'app' },
  ])
})

test('a statement that Postgres refuses is told with its file and line; the next run may try again', async () => {
  stage.topology.databases.use('pg', [schema('CREATE TABLE fine (id int);\n\nCREATE TABEL wrong (id int);')])
  const refused = postgres('pg').database()
  await expect(refused).rejects.toBeInstanceOf(SchemaError)
  await expect(refused).rejects.toMatchObject({
    file: 'schema.sql',
    line: 3,
    message: expect.stringContaining('TABEL'),
  })
  stage.topology.databases.use('pg', [schema('CREATE TABLE fine (id int)')])
  const db = await postgres('pg').database()
  expect(await db.sql('SELECT * FROM fine')).toEqual([])
  await stage.nextRun()
  expect((await standing(postgres('pg'))).filter((name) => name.startsWith('template_'))).toHaveLength(1)
})

test('a database of a replicated component is there on the replica too', async () => {
  stage.topology.databases.use('pair', [data('CREATE TABLE notes (id int); INSERT INTO notes VALUES (7)')])
  const db = await postgres('pair').database()
  expect(await replicas('pair')[0]!.view(db).sql('SELECT id FROM notes')).toEqual([{ id: 7 }])
})

test('a server killed while databases are made for it gives good ones afterwards', async () => {
  stage.topology.databases.use('pg', [data('CREATE TABLE notes (id int)')])
  await postgres('pg').database()
  await postgres('pg').kill()
  await postgres('pg').start()
  for (let i = 0; i < 4; i++) {
    const db = await postgres('pg').database()
    expect(await db.sql('SELECT * FROM notes')).toEqual([])
  }
})

test('statements since a marker: by application, by text, several lines, simple and extended; not the harness’s own', async () => {
  const db = await notes()
  const pg = postgres('pg')
  const app = await db.client({ application: 'server-1' })
  const other = await db.client({ application: 'server-2' })
  await app.query("SELECT 'before'")
  const since = await pg.marker()
  await app.query("INSERT INTO notes\nVALUES (1, 'a')")
  await app.query('SELECT text FROM notes WHERE id = $1', [1])
  await other.query('SELECT 2')
  await db.sql("SELECT 'mine'")
  const mine = await pg.statements({ application: 'server-1' }, since)
  expect(mine.map(({ text }) => text)).toEqual([
    "INSERT INTO notes\nVALUES (1, 'a')",
    'SELECT text FROM notes WHERE id = $1',
  ])
  expect(mine[0]).toMatchObject({ application: 'server-1', database: db.name, pid: expect.any(Number) })
  expect(Math.abs(mine[0]!.at - Date.now())).toBeLessThan(60_000)
  expect(await pg.statements({ text: /^SELECT/ }, since)).toHaveLength(2)
  expect(await pg.statements({ database: db.name }, since)).toHaveLength(3)
  expect(await pg.statements({}, await pg.marker())).toEqual([])
})

test('statements of a thousand at once all stand before the marker', async () => {
  const db = await notes()
  const since = await postgres('pg').marker()
  const clients = await Promise.all(Array.from({ length: 10 }, () => db.client({ application: 'many' })))
  await Promise.all(
    clients.map(async (client) => {
      for (let i = 0; i < 100; i++) await client.query(`SELECT ${i}`)
    }),
  )
  expect(await postgres('pg').statements({ application: 'many' }, since)).toHaveLength(1000)
})

test('a held lock: who waits is seen, and goes on when it is released', async () => {
  const db = await notes()
  const lock = await db.holdLock('notes')
  const client = await db.client({ application: 'server' })
  const insert = client.query("INSERT INTO notes VALUES (1, 'late')")
  await lock.waiters(1, 'server')
  const waiting = await db.activity({ waiting: true })
  expect(waiting).toMatchObject([{ application: 'server', state: 'active', waitEvent: 'Lock' }])
  expect(waiting[0]!.query).toContain('late')
  expect(await db.sql('SELECT * FROM notes')).toEqual([])
  await lock.release()
  await lock.release()
  await insert
  expect(await db.sql('SELECT text FROM notes')).toEqual([{ text: 'late' }])
  expect(await db.activity({ waiting: true })).toEqual([])
})

test('a row lock held; a lock that a test forgets ends with the test', async () => {
  const db = await notes()
  await db.sql("INSERT INTO notes VALUES (1, 'a'), (2, 'b')")
  const lock = await db.hold('SELECT * FROM notes WHERE id = 1 FOR UPDATE')
  const client = await db.client({ application: 'server' })
  await client.query("UPDATE notes SET text = 'c' WHERE id = 2")
  const blocked = client.query("UPDATE notes SET text = 'c' WHERE id = 1")
  await lock.waiters(1)
  const [begun] = [
    blocked.then(
      () => 'done',
      () => 'dropped',
    ),
  ]
  await stage.nextRun()
  expect(['done', 'dropped']).toContain(await begun)
})

test('a statement held when it runs: the whole transaction waits, others do not', async () => {
  const db = await notes()
  const hold = await db.holdStatement('notes', 'INSERT OR UPDATE')
  const client = await db.client({ application: 'server' })
  const insert = client.query("INSERT INTO notes VALUES (1, 'x')")
  await hold.waiters(1, 'server')
  expect((await db.activity({ application: 'server', query: '^insert' })).length).toBe(1)
  expect(await db.sql('SELECT * FROM notes')).toEqual([])
  await hold.release()
  await insert
  await client.query("UPDATE notes SET text = 'y'")
  await client.query('DELETE FROM notes')
  expect(await db.sql('SELECT * FROM notes')).toEqual([])
})

test('a statement held at commit: it has run, its answer is there, and the COMMIT waits', async () => {
  const db = await notes()
  const hold = await db.holdStatement('notes', 'INSERT OR DELETE', 'commit')
  const client = await db.client({ application: 'server' })
  await client.query('BEGIN')
  expect((await client.query("INSERT INTO notes VALUES (1, 'x')")).rowCount).toBe(1)
  const commit = client.query('COMMIT')
  await hold.waiters(1, 'server')
  expect((await db.activity({ waiting: true, query: '^commit$' })).length).toBe(1)
  expect(await db.sql('SELECT * FROM notes')).toEqual([])
  await hold.release()
  await commit
  expect(await db.sql('SELECT id FROM notes')).toEqual([{ id: 1 }])
})

test('activity shows the backends of this database only, by name and state', async () => {
  const [db, other] = [await notes(), await postgres('pg').database()]
  const client = await db.client({ application: 'server-1' })
  await other.client({ application: 'server-1' })
  await client.query('BEGIN')
  expect(await db.activity()).toMatchObject([
    { application: 'server-1', state: 'idle in transaction', query: 'BEGIN' },
  ])
  expect(await db.activity({ application: 'server-2' })).toEqual([])
})
