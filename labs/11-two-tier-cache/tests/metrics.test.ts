import { beforeAll, burst, eventually, expect, say, shared, test, when } from '#harness'
import { each, newKey, readOften, startFleet, type Fleet, type Server } from './fleet.ts'
import { rows } from './expiry.ts'
import { inMemory, metricsOf } from './seeing.ts'

let fleet: Fleet
let s0: Server
let s1: Server

beforeAll(async () => {
  // New ones: they are to have counted nothing yet.
  fleet = await shared('counting servers', () => startFleet(2))
  ;[s0, s1] = fleet.servers as [Server, Server]
})

// #region counts
test(say('every answer is counted at its tier', '答えた層で数える'), async ({ random }) => {
  const [fromDb, fromRedis] = [await rows(fleet, random, 3), await rows(fleet, random, 4)]
  const absent = newKey(random)
  for (const key of fromRedis) await s1.get(key)
  when(
    's0, new: 3 keys that nobody has, 4 that are in Redis, 13 reads of these again, an absent key twice',
    '起動したばかりのs0で、誰も持たない3個、Redisにある4個、それらをさらに13回、存在しないキーを2回読む',
  )
  for (const key of [...fromDb, ...fromRedis]) await s0.get(key)
  for (let i = 0; i < 13; i++) await s0.get([...fromDb, ...fromRedis][i % 7]!)
  for (let i = 0; i < 2; i++) await s0.get(absent)
  const { requests, l1, l2, db, hitRate, latencyMs } = await metricsOf(s0)
  expect({ requests, l1, l2, db, latencies: latencyMs?.count }, say('counts of s0', 's0の集計'), {
    hint: 1,
  }).toEqual({
    requests: 22,
    l1: { hits: 14, misses: 8 },
    l2: { hits: 4, misses: 4, errors: 0 },
    db: { reads: 4 },
    latencies: 22,
  })
  expect(hitRate, say('hitRate: 18 of 22', 'hitRate(22件中18件)'), { hint: 3 }).toBeCloseTo(18 / 22)
})
// #endregion counts

test(say('p50 and p99 tell different stories', 'p50とp99は別のことを語る'), async ({ random }) => {
  const [warm, ...cold] = await rows(fleet, random, 41)
  await inMemory(fleet, [s1], warm!)
  when(
    'at s1 300 reads from memory, then 40 of Postgres, whose answers take 50 ms longer',
    's1でメモリから300回読み、次にPostgresから40回読む。Postgresの応答は50ミリ秒遅い',
  )
  await readOften(s1, warm!, 300)
  s1.toPg.delay(50, { directions: 'reply' })
  await burst(40, (i) => s1.get(cold[i]!)).done
  s1.toPg.delay(0)
  const { latencyMs } = await metricsOf(s1)
  expect(latencyMs.p50, say('p50 in ms', 'p50(ミリ秒)'), { hint: 3 }).toBeLessThan(25)
  expect(latencyMs.p99, say('p99 in ms', 'p99(ミリ秒)'), { hint: 3 }).toBeGreaterThanOrEqual(50)
})

// #region lag
test(say('how late invalidations arrive', '無効化はどれだけ遅れて届くか'), async ({ random }) => {
  const keys = await rows(fleet, random, 10)
  for (const key of keys) await each([s0, s1], key)
  const before = {
    sent: (await metricsOf(s0)).invalidations?.sent,
    received: (await metricsOf(s1)).invalidations?.received,
  }
  when('10 PUTs at s0', 's0に10回PUTする')
  for (const key of keys) expect(await s0.put(key, 'v2')).toAnswer(200)
  const { lagMs } = await eventually(
    say(
      '10 more invalidations sent by s0, and 10 more received at s1',
      's0が送った無効化と、s1が受け取った無効化が10件ずつ増える',
    ),
    async () => {
      const [writer, reader] = [await metricsOf(s0), await metricsOf(s1)]
      return {
        sent: writer.invalidations?.sent - before.sent,
        received: reader.invalidations?.received - before.received,
        lagMs: reader.invalidations?.lagMs,
      }
    },
    ({ sent, received }) => sent >= 10 && received >= 10,
  )
  expect(typeof lagMs?.p99, say('type of lagMs.p99', 'lagMs.p99の型')).toBe('number')
  expect(lagMs.p99, say('lagMs.p99', 'lagMs.p99')).toBeLessThan(1000)
  expect(lagMs.p50, say('lagMs.p50', 'lagMs.p50')).toBeGreaterThanOrEqual(0)
})
// #endregion lag
