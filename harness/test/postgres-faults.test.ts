import { expect, test } from 'vitest'
import { link, postgres, renew, replicas, type Database, type StartedPostgres } from '../index.ts'
import { lab } from '../context.ts'
import { useTopology } from './stage.ts'

const stage = useTopology({ pg: { kind: 'replicated', replicas: 2 }, other: { kind: 'postgres' } })

async function withTable(): Promise<Database> {
  const db = await postgres('pg').database()
  await db.sql('CREATE TABLE rows (n int)')
  return db
}

const count = async (db: Database): Promise<unknown> =>
  (await db.sql('SELECT count(*)::int AS n FROM rows'))[0]?.n

/** Rows as a replica shows them now. */
const countOn = (replica: StartedPostgres, db: Database): Promise<unknown> => count(replica.view(db))

/** What comes first: the answer, or the end of this time. */
const within = (ms: number, work: Promise<unknown>): Promise<unknown> =>
  Promise.race([work.then(() => 'answered'), new Promise((resolve) => setTimeout(resolve, ms, 'silent'))])

test('replay paused: the replica is behind for certain, and catches up when resumed', async () => {
  const db = await withTable()
  const [one, two] = replicas('pg') as [StartedPostgres, StartedPostgres]
  await postgres('pg').caughtUp()
  await one.pauseReplay()
  await db.sql('INSERT INTO rows SELECT generate_series(1, 10)')
  await postgres('pg').caughtUp([two])
  expect(await countOn(two, db)).toBe(10)
  expect(await countOn(one, db)).toBe(0)
  await one.resumeReplay()
  await postgres('pg').caughtUp()
  expect(await countOn(one, db)).toBe(10)
})

test('what a test paused, the next run finds resumed', async () => {
  await replicas('pg')[0]!.pauseReplay()
  await stage.nextRun()
  const [row] = await replicas('pg')[0]!.sql('SELECT pg_get_wal_replay_pause_state() AS state')
  expect(row?.state).toBe('not paused')
})

test('a replica killed refuses; back, it has what was written meanwhile', async () => {
  const db = await withTable()
  const replica = replicas('pg')[0]!
  await replica.kill()
  await expect(replica.sql('SELECT 1')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|terminated/)
  await db.sql('INSERT INTO rows VALUES (1)')
  await replica.start()
  await postgres('pg').caughtUp()
  expect(await countOn(replica, db)).toBe(1)
})

test('the primary killed and back: acknowledged rows are there, both replicas follow again', async () => {
  const db = await withTable()
  await db.sql('INSERT INTO rows VALUES (1)')
  await postgres('pg').kill()
  await expect(postgres('pg').sql('SELECT 1')).rejects.toThrow(/ECONNREFUSED|ECONNRESET|terminated/)
  await postgres('pg').start()
  expect(await count(db)).toBe(1)
  await db.sql('INSERT INTO rows VALUES (2)')
  await postgres('pg').caughtUp()
  for (const replica of replicas('pg')) expect(await countOn(replica, db)).toBe(2)
})

test('what a test left dead, the next run finds alive', async () => {
  await Promise.all([postgres('pg').kill(), ...replicas('pg').map((replica) => replica.kill())])
  await stage.nextRun()
  const db = await withTable()
  await postgres('pg').caughtUp()
  expect(await countOn(replicas('pg')[1]!, db)).toBe(0)
})

test('started twice, a server is the same server', async () => {
  await postgres('other').start()
  await postgres('other').kill()
  await Promise.all([postgres('other').start(), postgres('other').start()])
  const [before] = await postgres('other').sql('SELECT pg_postmaster_start_time()::text AS at')
  await postgres('other').start()
  const [after] = await postgres('other').sql('SELECT pg_postmaster_start_time()::text AS at')
  expect(after).toEqual(before)
  await postgres('other').kill()
  await expect(postgres('other').sql('SELECT 1')).rejects.toThrow()
})

test('a replica promoted takes writes; renewed, the component is whole again', async () => {
  const db = await withTable()
  await postgres('pg').caughtUp()
  const replica = replicas('pg')[0]!
  await replica.promote()
  expect(await replica.inRecovery()).toBe(false)
  await replica.view(db).sql('INSERT INTO rows VALUES (1)')
  expect(await countOn(replica, db)).toBe(1)
  expect(await count(db)).toBe(0)

  const old = new Set([postgres('pg').port, ...replicas('pg').map(({ port }) => port)])
  const fresh = await renew('pg')
  expect(old.has(fresh.primary.port)).toBe(false)
  expect(await Promise.all([fresh.primary, ...fresh.replicas].map((node) => node.inRecovery()))).toEqual([
    false,
    true,
    true,
  ])
  const next = await withTable()
  await next.sql('INSERT INTO rows VALUES (1)')
  await fresh.primary.caughtUp()
  for (const node of fresh.replicas) expect(await countOn(node, next)).toBe(1)
  await expect(replica.sql('SELECT 1')).rejects.toThrow()
})

test('what a test promoted, the next run finds made anew', async () => {
  await replicas('pg')[1]!.promote()
  await stage.nextRun()
  expect(await Promise.all(replicas('pg').map((node) => node.inRecovery()))).toEqual([true, true])
  await withTable()
  await postgres('pg').caughtUp()
})

test('an old primary is fenced by cutting its links: clients are parted, writes go to the promoted replica', async () => {
  const db = await withTable()
  await postgres('pg').caughtUp()
  const toOld = await link('server', postgres('pg'))
  const client = await db.client({ via: toOld })
  await client.query('INSERT INTO rows VALUES (1)')
  await postgres('pg').caughtUp()
  const replica = replicas('pg')[0]!
  expect(toOld.cut()).toBe(1)
  await expect(client.query('INSERT INTO rows VALUES (2)')).rejects.toThrow()
  await expect(db.client({ via: toOld })).rejects.toThrow()
  await replica.promote()
  await replica.view(db).sql('INSERT INTO rows VALUES (3)')
  expect(await countOn(replica, db)).toBe(2)
  expect(await count(db)).toBe(1)
  await renew('pg')
})

test('frozen, a server keeps its connections and answers nobody; thawed, it goes on where it was', async () => {
  const db = await withTable()
  const client = await db.client()
  await postgres('pg').freeze()
  const insert = client.query('INSERT INTO rows VALUES (1)')
  expect(await within(150, insert)).toBe('silent')
  await postgres('pg').thaw()
  expect(await within(10_000, insert)).toBe('answered')
  expect(await count(db)).toBe(1)
})

test('a frozen replica falls behind and catches up', async () => {
  const db = await withTable()
  const [one, two] = replicas('pg') as [StartedPostgres, StartedPostgres]
  await one.freeze()
  await db.sql('INSERT INTO rows VALUES (1)')
  await postgres('pg').caughtUp([two])
  await one.thaw()
  await postgres('pg').caughtUp([one])
  expect(await countOn(one, db)).toBe(1)
})

test('what a test left frozen, the next run finds thawed; a frozen server can be killed', async () => {
  await replicas('pg')[0]!.freeze()
  await stage.nextRun()
  expect(await replicas('pg')[0]!.inRecovery()).toBe(true)
  await postgres('other').freeze()
  await postgres('other').kill()
  await postgres('other').start()
  expect(await postgres('other').sql('SELECT 1 AS one')).toEqual([{ one: 1 }])
})

test('a link in front of Postgres: slowed, cut, refusing, a black hole, and healed each time', async () => {
  const db = await postgres('other').database()
  const wire = await link('server', postgres('other'))
  const ask = async (): Promise<number> => {
    const client = await db.client({ via: wire })
    const begun = performance.now()
    await client.query('SELECT 1')
    const ms = performance.now() - begun
    await client.end()
    return ms
  }
  await ask()
  expect(wire.counts.connections).toBe(1)
  wire.delay(60)
  expect(await ask()).toBeGreaterThanOrEqual(115)
  await wire.open()
  await ask()

  const standing = await db.client({ via: wire })
  expect(wire.cut()).toBe(1)
  await expect(standing.query('SELECT 1')).rejects.toThrow()
  await expect(ask()).rejects.toThrow(/terminated|ECONNRESET/)
  await wire.open()
  await ask()

  wire.refuse()
  await expect(ask()).rejects.toThrow(/ECONNREFUSED/)
  await wire.open()

  const held = await db.client({ via: wire })
  wire.blackHole()
  const answer = held.query('SELECT 1')
  expect(await within(100, answer)).toBe('silent')
  await wire.open()
  expect(await within(5000, answer)).toBe('answered')
  await ask()
})

test('a replica that follows through a link: cut off it is behind, healed it catches up', async () => {
  const replica = replicas('pg')[0]!
  const wire = await link(replica.name, postgres('pg'))
  const { host } = lab().reach
  await replica.sql(
    `ALTER SYSTEM SET primary_conninfo = 'host=${host} port=${wire.port} user=postgres application_name=far'`,
  )
  await replica.sql('SELECT pg_reload_conf()')
  const following = (): Promise<unknown> =>
    postgres('pg').sql("SELECT state FROM pg_stat_replication WHERE application_name = 'far'")
  await expect.poll(following, { timeout: 10_000 }).toEqual([{ state: 'streaming' }])

  const db = await withTable()
  await postgres('pg').caughtUp()
  wire.blackHole()
  await db.sql('INSERT INTO rows VALUES (1)')
  await postgres('pg').caughtUp([replicas('pg')[1]!])
  expect(await countOn(replica, db)).toBe(0)
  await wire.open()
  await postgres('pg').caughtUp([replica])
  expect(await countOn(replica, db)).toBe(1)

  expect(wire.cut()).toBeGreaterThan(0)
  await db.sql('INSERT INTO rows VALUES (2)')
  await expect.poll(following, { timeout: 10_000 }).toEqual([])
  expect(await countOn(replica, db)).toBe(1)
  await wire.open()
  await postgres('pg').caughtUp([replica])
  expect(await countOn(replica, db)).toBe(2)
  await renew('pg')
})
