import { beforeAll, eventually, expect, say, test, when } from '#harness'
import { insert, newKey, fourServers, type Fleet } from '../../labs/11-two-tier-cache/tests/fleet.ts'
import { readFrom, seen } from '../../labs/11-two-tier-cache/tests/seeing.ts'

let fleet: Fleet

beforeAll(async () => {
  fleet = await fourServers()
})

test(say('keys of all sorts', 'いろいろなキー'), async ({ random }) => {
  const [s0, s1] = fleet.servers
  for (const tail of ['a b', 'a/b', '100%', '%2F', 'a:b:*', "it's", '日本語', '🦊', '?x=1&y#z', '..']) {
    const key = newKey(random, tail)
    const version = await insert(fleet, key, tail)
    when(`a row with the key ${key} is read at s0 and s1`, `キーが${key}の行をs0とs1で読む`)
    for (const server of [s0!, s0!, s1!])
      expect(await server.get(key)).toAnswer(200, { key, value: tail, version })
  }
  when('a key of 200 characters, and one of 201', '200文字のキーと201文字のキー')
  const longest = newKey(random).padEnd(200, 'é')
  await insert(fleet, longest, 1)
  expect(await s0!.get(longest)).toAnswer(200, { key: longest })
  expect(await s0!.get(`${longest}é`)).toAnswer(400, { error: 'bad_request' })
})

test(say('20 keys, four servers, any order', '20個のキー、4台、順序は任意'), async ({ random }) => {
  const keys = Array.from({ length: 20 }, () => newKey(random))
  for (const key of keys) await insert(fleet, key, key)
  when(
    'each of four servers reads each of 20 keys, in random order',
    '4台がそれぞれ20個のキーを、ばらばらの順に読む',
  )
  const reads = random.shuffle(keys.flatMap((key) => fleet.servers.map((server) => ({ key, server }))))
  const watched = await fleet.watch(async () => {
    for (const { key, server } of reads) expect(await server.get(key)).toAnswer(200, { value: key })
  })
  expect(
    keys.map((key) => watched.asked(key).statements),
    say('statements by key', 'キーごとの文の数'),
  ).toEqual(keys.map(() => 1))
})

test(say('a change behind the cache', 'キャッシュの裏での変更'), async ({ random }) => {
  const [s0, s1] = fleet.servers
  const key = newKey(random)
  const version = await insert(fleet, key, 'old')
  await s0!.get(key)
  when('a row that is in L1 of s0 and in L2 is changed by SQL', 's0のL1とL2にある行をSQLで変える')
  await insert(fleet, key, 'new')
  expect(await readFrom('l1', fleet, s0!, key)).toAnswer(200, { value: 'old', version })
  expect(await readFrom('l2', fleet, s1!, key)).toAnswer(200, { value: 'old', version })
})

test(say('Postgres is out of reach', 'Postgresに届かない'), async ({ random }) => {
  const [s0, s1] = fleet.servers
  const [mine, shared, nobodys] = [newKey(random), newKey(random), newKey(random)]
  for (const key of [mine, shared, nobodys]) await insert(fleet, key, 1)
  await s0!.get(mine)
  await s1!.get(shared)
  when("s0's link to Postgres is cut", 's0とPostgresの間を切る')
  expect(s0!.toPg.cut(), say('connections broken', '切れた接続の数')).toBeGreaterThan(0)
  expect(await s0!.get(mine), say('a key in memory', 'メモリにあるキー'), { hint: 3 }).toAnswer(200, {
    value: 1,
  })
  expect(await s0!.get(shared), say('a key in Redis', 'Redisにあるキー'), { hint: 3 }).toAnswer(200, {
    value: 1,
  })
  const refused = await s0!.role.get(`/items/${nobodys}`, { within: 1000 })
  expect(refused, say('a key that no tier has', 'どの層にもないキー'), { hint: 3 }).toAnswer(503, {
    error: 'database_unavailable',
  })
  when('the link is restored', 'リンクを戻す')
  await s0!.toPg.open()
  // The pool may offer connections that it has not noticed to be broken, or a breaker be open for a while.
  await eventually(
    say('s0 answers the key without a restart', 's0が再起動なしでそのキーを返す'),
    async () => seen(await s0!.get(nobodys)),
    1,
    { within: 10_000, hint: 3 },
  )
})
