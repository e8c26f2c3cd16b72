import { beforeAll, eventually, expect, say, test, when, type Text } from '#harness'
import { dropFromRedis, expiringServers, L2_TTL_MS, livesOf, rows } from './expiry.ts'
import { forAll, insert, type Fleet, type Server } from './fleet.ts'
import { cachedRow, fromMemory, inMemory, memoryLabel, seen } from './seeing.ts'

let fleet: Fleet
let s0: Server
let s1: Server
let small: Server
let brief: Server

beforeAll(async () => {
  ;({ fleet, s0, s1, small, brief } = await expiringServers())
})

/** Around the mean life, and apart from each other. */
async function expectSpread(keys: string[], of: Text): Promise<void> {
  const lives = await livesOf(fleet, keys, L2_TTL_MS)
  const [least, most] = [Math.min(...lives), Math.max(...lives)]
  const hint = least > 0 ? 2 : 1
  expect(least, say(`shortest life of ${of.en}`, `${of.ja}の最も短い寿命`), { hint }).toBeGreaterThanOrEqual(
    0.9 * L2_TTL_MS - 2000,
  )
  expect(most, say(`longest life of ${of.en}`, `${of.ja}の最も長い寿命`), { hint }).toBeLessThanOrEqual(
    1.1 * L2_TTL_MS,
  )
  expect(
    most - least,
    say(`longest less shortest life of ${of.en}`, `${of.ja}の最長の寿命と最短の寿命の差`),
    { hint: 2 },
  ).toBeGreaterThanOrEqual(0.05 * L2_TTL_MS)
}

// #region spread
test(say('no two lives are alike', '寿命は一つずつ違う'), async ({ random }) => {
  const read = await rows(fleet, random, 60)
  when('s0 reads 60 keys', 's0が60個のキーを読む')
  await forAll(read, (key) => s0.get(key))
  await expectSpread(read, say('60 entries that reads have stored', '読み取りが入れた60個の項目'))

  const written = await rows(fleet, random, 60)
  when('60 keys are PUT at s0, and read at s1', 's0に60個のキーをPUTし、s1で読む')
  await forAll(written, (key) => s0.put(key, 'v2'))
  await forAll(written, (key) => s1.get(key))
  await expectSpread(written, say('60 entries after a PUT', 'PUTのあとの60個の項目'))
})
// #endregion spread

// #region bounded
test(say('L1 has a size', 'L1には大きさがある'), async ({ random }) => {
  const keys = await rows(fleet, random, 80)
  when('a server with L1_MAX=50 reads 80 keys', 'L1_MAX=50のサーバーが80個のキーを読む')
  await forAll(keys, (key) => small.get(key))
  when('and the same 80 once more', '同じ80個をもう一度読む')
  expect(await fromMemory(fleet, small, keys), memoryLabel, { hint: 2 }).toBeLessThanOrEqual(50)
  when('one key twice in a row', '一つのキーを続けて2回読む')
  await inMemory(fleet, [small], keys[0]!)
})
// #endregion bounded

// #region l1-ttl
test(say('what nobody told expires', '誰も知らせなかったものは期限で消える'), async ({ random }) => {
  const key = await cachedRow(fleet, [brief, s0], random)
  when(
    'L1_TTL_MS=300; the row is changed by SQL, and taken out of Redis',
    'L1_TTL_MS=300。行をSQLで変え、Redisからも取り除く',
  )
  await insert(fleet, key, 'v2')
  expect(
    await dropFromRedis(fleet, key),
    say('names taken out of Redis', 'Redisから取り除いた名前の数'),
  ).toBeGreaterThan(0)
  await eventually(say('v2 within 2 s', '2秒以内にv2'), async () => seen(await brief.get(key)), 'v2', {
    within: 2000,
    hint: 2,
  })
})

test(say('a server that hears nothing', '何も聞こえないサーバー'), async ({ random }) => {
  const key = await cachedRow(fleet, [brief, s0], random)
  when(
    'L1_TTL_MS=300; its link to Redis goes silent both ways, unnoticed; PUT v2 at s0',
    'L1_TTL_MS=300。Redisとの間が、気づかれないまま両方向とも沈黙する。s0にv2をPUTする',
  )
  brief.toRedis.blackHole()
  expect(await s0.put(key, 'v2')).toAnswer(200)
  await eventually(say('v2 within 2 s', '2秒以内にv2'), async () => seen(await brief.get(key)), 'v2', {
    within: 2000,
    hint: 2,
  })
  expect(
    brief.toRedis.held.request,
    say('bytes that did not reach Redis', 'Redisに届かなかったバイト数'),
  ).toBeGreaterThan(0)
  await brief.toRedis.open()
})
// #endregion l1-ttl
