import { beforeAll, eventually, expect, say, test, when } from '#harness'
import { fourServers } from '../../labs/12-cache-stampede/tests/fleets.ts'
import { cacheOf, untilHeld, type Front } from '../../labs/12-cache-stampede/tests/front.ts'
import { plant } from '../../labs/12-cache-stampede/tests/planted.ts'

let front: Front

beforeAll(async () => {
  front = await fourServers()
})

const change = (key: string, value: unknown): Promise<unknown> =>
  front.db.sql('UPDATE data SET value = $2::jsonb WHERE key = $1', [key, JSON.stringify(value)])

test(say('too old is too old', '古すぎるものは使わない'), async ({ random }) => {
  const value = random.word()
  const key = await front.row(value)
  await plant(front, key, { value: 'ancient', version: 0, age: 200_000, left: -61_000 })
  when(
    'an entry that should have been dropped a second ago is still in Redis',
    '1秒前に消えているはずのエントリーが、まだRedisにある',
  )
  expect(await front.get(0, key)).toAnswer(200, { value })
})

for (const query of ['consistency=strong', 'consistency=bounded&maxAgeMs=0'])
  test(
    say(`who comes later sees what came before (${query})`, `あとから来た人は、前の変更を見る（${query}）`),
    async ({ random }) => {
      const [old, fresh] = [`old-${random.word()}`, `new-${random.word()}`]
      const key = await front.row(old)
      when(
        'a reader waits for the answer of a statement that has run',
        '実行済みのSQL文の応答を、一人の読み手が待っている',
      )
      const held = front.toPostgres[0]!.holdOn(key)
      const first = front.get(0, key, query)
      await untilHeld(held, say('the statement of the first reader', '最初の読み手のSQL文'))
      await eventually(
        say('its statement in the log', 'そのSQL文がログにある'),
        () => front.statements(key),
        1,
      )
      await eventually(
        say('the statement of the first reader has run', '最初の読み手のSQL文が実行された'),
        () => front.db.activity({ application: 's0' }),
        (backends) => backends.every(({ state }) => state !== 'active'),
      )
      await change(key, fresh)
      when('the row is changed, and a second reader comes', '行が変わり、二人目の読み手が来る')
      const second = front.get(0, key, query)
      // Its request has been read: a request that came after it has been answered.
      await front.servers[0]!.get('/health')
      held.release()
      expect(await first).toAnswer(200)
      expect(await second, say('answer to the second reader', '二人目への応答'), { hint: 3 }).toAnswer(200, {
        value: fresh,
      })
    },
  )

test(say('values that look like nothing', '空に見える値'), async () => {
  for (const value of [0, false, '', null]) {
    const key = await front.row(value)
    when(`the value of a row is ${JSON.stringify(value)}`, `行の値が${JSON.stringify(value)}である`)
    for (const consistency of ['eventual', 'eventual', 'bounded', 'strong']) {
      const answer = await front.get(0, key, `consistency=${consistency}`)
      expect(answer, say(consistency, consistency)).toAnswer(200)
      expect(answer.body?.value, say(`value (${consistency})`, `値（${consistency}）`)).toBe(value)
    }
    expect(cacheOf(await front.get(0, key)), say('X-Cache afterwards', 'そのあとのX-Cache')).toBe('hit')
  }
})

test(
  say('a strong read leaves nothing older in Redis', 'strongの読み取りは、Redisを古くしない'),
  async () => {
    const key = await front.row('row')
    await plant(front, key, { value: 'newer', version: 1_000_000_000 })
    when(
      'Redis has a larger version than the row that a strong GET reads',
      'strongのGETが読む行より、Redisのバージョンのほうが大きい',
    )
    expect(await front.get(0, key, 'consistency=strong')).toAnswer(200, { value: 'row' })
    await front.get(0, await front.row())
    expect(await front.get(1, key)).toAnswer(200, { value: 'newer' })
  },
)

test(say('a refresh that fails is tried again', '失敗した更新は、もう一度試す'), async ({ random }) => {
  const value = random.word()
  const key = await front.row(value)
  await plant(front, key, { value: 'old', version: 0, age: 20_000, left: -1 })
  when('Postgres is cut off, and a stale key is read', 'Postgresとの間を切断し、鮮度の切れたキーを読む')
  front.toPostgres[0]!.cut()
  const before = front.toPostgres[0]!.counts.rejected
  await eventually(
    say('s0 is turned away on its way to Postgres', 'Postgresへ向かうs0が断られる'),
    async () => {
      expect(await front.get(0, key)).toAnswer(200, { value: 'old' })
      return front.toPostgres[0]!.counts.rejected > before
    },
    true,
    { every: 20 },
  )
  when('Postgres is back', 'Postgresが戻る')
  await front.toPostgres[0]!.open()
  await eventually(
    say('the new value at s0', 's0での新しい値'),
    async () => (await front.get(0, key)).body?.value,
    value,
    { every: 20 },
  )
})

test(say('words it does not know, and ages', '知らない言葉と、年齢'), async () => {
  const key = await front.row()
  await plant(front, key, { age: 3000 })
  for (const query of ['consistency=foo', 'maxAgeMs=-1', 'maxAgeMs=abc']) {
    when(`GET with ?${query}`, `?${query}を付けてGETする`)
    expect(await front.get(0, key, query)).toAnswer(400, { error: 'bad_request' })
  }
  when('an entry fetched 3 s ago is read twice', '3秒前に取得したエントリーを2回読む')
  const first = await front.get(0, key)
  const age = say('ageMs', 'ageMs')
  expect(first.body?.ageMs, age).toBeGreaterThanOrEqual(3000)
  await eventually(
    say('a larger ageMs', 'より大きなageMs'),
    async () => (await front.get(0, key)).body?.ageMs,
    (ageMs) => ageMs > first.body.ageMs,
  )
})
