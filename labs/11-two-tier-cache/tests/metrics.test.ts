import { beforeAll, burst, eventually, expect, say, test, when } from '#harness'
import { expiringServers, rows } from './expiry.ts'
import { each, newKey, readOften, type Fleet, type Server } from './fleet.ts'
import { inMemory, metricsOf } from './seeing.ts'

let fleet: Fleet
let s0: Server
/** A new one: it is to have counted nothing yet. */
let fresh: Server

beforeAll(async () => {
  ;({ fleet, s0 } = await expiringServers())
  fresh = await fleet.server()
})

// #region counts
test(say('every answer is counted at its tier', '答えた層で数える'), async ({ random }) => {
  const [fromDb, fromRedis] = [await rows(fleet, random, 3), await rows(fleet, random, 4)]
  const absent = newKey(random)
  for (const key of fromRedis) await s0.get(key)
  when(
    'a new server: 3 keys that nobody has, 4 that are in Redis, 13 reads of these again, an absent key twice',
    '起動したばかりのサーバーで、誰も持たない3個、Redisにある4個、それらをさらに13回、存在しないキーを2回読む',
  )
  for (const key of [...fromDb, ...fromRedis]) await fresh.get(key)
  for (let i = 0; i < 13; i++) await fresh.get([...fromDb, ...fromRedis][i % 7]!)
  for (let i = 0; i < 2; i++) await fresh.get(absent)
  const { requests, l1, l2, db, hitRate, latencyMs } = await metricsOf(fresh)
  expect(
    { requests, l1, l2, db, latencies: latencyMs?.count },
    say('counts of the new server', '新しいサーバーの集計'),
    {
      hint: 1,
    },
  ).toEqual({
    requests: 22,
    l1: { hits: 14, misses: 8 },
    l2: { hits: 4, misses: 4, errors: 0 },
    db: { reads: 4 },
    latencies: 22,
  })
  expect(hitRate, say('hitRate: 18 of 22', 'hitRate（22件中18件）'), { hint: 3 }).toBeCloseTo(18 / 22)
})
// #endregion counts

test(say('p50 and p99 tell different stories', 'p50とp99は別のことを語る'), async ({ random }) => {
  const [warm, ...cold] = await rows(fleet, random, 41)
  await inMemory(fleet, [s0], warm!)
  when(
    'at s0 300 reads from memory, then 40 of Postgres, whose answers take 50 ms longer',
    's0でメモリから300回読み、次にPostgresから40回読む。Postgresの応答は50ミリ秒遅い',
  )
  await readOften(s0, warm!, 300)
  s0.toPg.delay(50, { directions: 'reply' })
  await burst(40, (i) => s0.get(cold[i]!)).done
  s0.toPg.delay(0)
  const { latencyMs } = await metricsOf(s0)
  expect(latencyMs.p50, say('p50 in ms', 'p50（ミリ秒）'), { hint: 3 }).toBeLessThan(25)
  expect(latencyMs.p99, say('p99 in ms', 'p99（ミリ秒）'), { hint: 3 }).toBeGreaterThanOrEqual(50)
})

// #region lag
test(say('how late invalidations arrive', '無効化はどれだけ遅れて届くか'), async ({ random }) => {
  const keys = await rows(fleet, random, 10)
  for (const key of keys) await each([fresh, s0], key)
  const before = {
    sent: (await metricsOf(fresh)).invalidations?.sent,
    received: (await metricsOf(s0)).invalidations?.received,
  }
  when('10 PUTs at the new server', '新しいサーバーに10回PUTする')
  for (const key of keys) expect(await fresh.put(key, 'v2')).toAnswer(200)
  const { lagMs } = await eventually(
    say(
      '10 more invalidations sent by the new server, and 10 more received at s0',
      '新しいサーバーが送った無効化と、s0が受け取った無効化が10件ずつ増える',
    ),
    async () => {
      const [writer, reader] = [await metricsOf(fresh), await metricsOf(s0)]
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
