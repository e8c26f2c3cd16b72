import { beforeAll, eventually, expect, say, test, when } from '#harness'
import { each, fourServers, type Fleet } from '../../labs/11-two-tier-cache/tests/fleet.ts'
import { cachedRow, converge, seen } from '../../labs/11-two-tier-cache/tests/seeing.ts'

let fleet: Fleet

beforeAll(async () => {
  fleet = await fourServers()
})

test(say('nothing is forgotten before the commit', 'コミットより前に忘れさせない'), async ({ random }) => {
  const [s0, s1, s2] = fleet.servers
  const key = await cachedRow(fleet, fleet.servers, random, 'old')
  when(
    'a transaction holds the row; PUT at s0 waits for it in Postgres',
    '別のトランザクションが行を押さえ、s0へのPUTがPostgresで待つ',
  )
  const lock = await fleet.db.hold(`SELECT 1 FROM items WHERE key = '${key}' FOR UPDATE`)
  const writing = s0!.put(key, 'new')
  await lock.waiters(1, 's0')
  expect(seen(await s1!.get(key)), say('s1, meanwhile', 'その間のs1')).toBe('old')
  expect(seen(await s2!.get(key)), say('s2, meanwhile', 'その間のs2')).toBe('old')
  when('the row is released', '行を放す')
  await lock.release()
  expect(await writing).toAnswer(200, { value: 'new' })
  await converge(fleet.servers, key, 'new')
})

test(
  say('what was not committed is nowhere', 'コミットされなかったものはどこにもない'),
  async ({ random }) => {
    const [s0] = fleet.servers
    const key = await cachedRow(fleet, fleet.servers, random, 'old')
    when("s0's link to Postgres is cut; PUT at s0", 's0とPostgresの間を切り、s0にPUTする')
    expect(s0!.toPg.cut(), say('connections broken', '切れた接続の数')).toBeGreaterThan(0)
    expect(await s0!.put(key, 'never')).toAnswer(503, { error: 'database_unavailable' })
    for (let i = 0; i < 5; i++)
      for (const answer of await each(fleet.servers, key))
        expect(
          [200, 503].includes(answer.status) && answer.body?.value !== 'never',
          say('"never" is not served', '"never"を返さない'),
        ).toBe(true)
    await s0!.toPg.open()
    await eventually(
      say('PUT at s0 works again', 's0へのPUTが再び成功する'),
      async () => (await s0!.put(key, 'later')).status,
      200,
    )
    await converge(fleet.servers, key, 'later')
  },
)

test(say('30 writes from anywhere', 'どこからでも30回書く'), async ({ random }) => {
  const key = await cachedRow(fleet, fleet.servers, random, -1)
  let version = 0
  for (let i = 0; i < 30; i++) {
    const writer = random.pick(fleet.servers)
    when(`PUT ${i} at ${writer.name}`, `${writer.name}に${i}をPUTする`)
    const answer = await writer.put(key, i)
    expect(answer).toAnswer(200, { key, value: i })
    expect(answer.body.version, say('version', '版')).toBeGreaterThan(version)
    version = answer.body.version
    expect(seen(await writer.get(key)), say('the writer, at once', '直後の書き手')).toBe(i)
    await converge(fleet.servers, key, i, { again: 2 })
  }
  when('PUT of the same value once more', '同じ値をもう一度PUTする')
  const same = await fleet.servers[1]!.put(key, 29)
  expect(same.body?.version, say('version', '版')).toBeGreaterThan(version)
})

test(say('deleted, and created again', '消えて、また作られる'), async ({ random }) => {
  const [s0, s1, s2] = fleet.servers
  const key = await cachedRow(fleet, fleet.servers, random, 'first')
  const before = (await s0!.get(key)).body.version as number
  when('DELETE at s1', 's1にDELETEを送る')
  expect((await s1!.delete(key)).status, say('status', 'ステータス')).toBe(204)
  await converge(fleet.servers, key, 404)
  when('DELETE once more', 'もう一度DELETEを送る')
  expect((await s2!.delete(key)).status, say('status', 'ステータス')).toBe(204)
  when('PUT at s2', 's2にPUTする')
  const created = await s2!.put(key, 'second')
  expect(created.body?.version, say('version', '版')).toBeGreaterThan(before)
  await converge(fleet.servers, key, 'second')
  when('the row is deleted by SQL, then DELETE at s0', '行をSQLで消してから、s0にDELETEを送る')
  await fleet.db.sql('DELETE FROM items WHERE key = $1', [key])
  expect((await s0!.delete(key)).status, say('status', 'ステータス')).toBe(204)
  await converge(fleet.servers, key, 404)
})

test(say('names that objects know', 'オブジェクトが知っている名前'), async () => {
  const [s0, s1] = fleet.servers
  for (const key of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    for (const server of [s0!, s1!]) expect(await server.get(key)).toAnswer(404)
    when(`PUT of ${key} at s0`, `s0に${key}をPUTする`)
    expect(await s0!.put(key, { a: key })).toAnswer(200)
    expect(seen(await s0!.get(key)), say('s0, at once', '直後のs0')).toEqual({ a: key })
    await converge([s0!, s1!], key, { a: key })
  }
})
