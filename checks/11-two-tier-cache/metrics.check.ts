import { beforeAll, burst, eventually, expect, say, test, when } from '#harness'
import { expiringServers, rows } from '../../labs/11-two-tier-cache/tests/expiry.ts'
import { readOften, type Fleet, type Server } from '../../labs/11-two-tier-cache/tests/fleet.ts'
import { inMemory, metricsOf } from '../../labs/11-two-tier-cache/tests/seeing.ts'

let fleet: Fleet
let s0: Server
/** It has counted nothing yet. */
let fresh: Server

beforeAll(async () => {
  ;({ fleet, s0 } = await expiringServers())
  fresh = await fleet.server({ REDIS_TIMEOUT_MS: 500 })
})

test(say('nothing has happened yet', 'まだ何も起きていない'), async () => {
  when(
    'a new server has been asked for nothing but /health and /metrics',
    '起動したばかりのサーバーに、/healthと/metricsだけを尋ねた',
  )
  for (let i = 0; i < 3; i++) await fresh.role.get('/health')
  await metricsOf(fresh)
  const { requests, hitRate, latencyMs, l1, l2, db, invalidations } = await metricsOf(fresh)
  expect(
    { requests, hitRate, latencyMs, l1, l2, db, lagMs: invalidations?.lagMs },
    say('metrics', 'メトリクス'),
  ).toEqual({
    requests: 0,
    hitRate: 0,
    latencyMs: { count: 0, p50: 0, p99: 0 },
    l1: { hits: 0, misses: 0 },
    l2: { hits: 0, misses: 0, errors: 0 },
    db: { reads: 0 },
    lagMs: { p50: 0, p99: 0 },
  })
})

test(say('slow reads leave the window', '遅い読み取りは窓から出ていく'), async ({ random }) => {
  const [warm, ...cold] = await rows(fleet, random, 21)
  await inMemory(fleet, [fresh], warm!)
  when(
    '20 reads whose answer from Postgres takes 200 ms longer',
    'Postgresの応答が200ミリ秒遅い読み取りを20回',
  )
  fresh.toPg.delay(200, { directions: 'reply' })
  // More than one in a hundred of all: who never forgets still sees them afterwards.
  await burst(20, (i) => fresh.get(cold[i]!)).done
  fresh.toPg.delay(0)
  const before = await metricsOf(fresh)
  expect(before.latencyMs.p99, say('p99 in ms', 'p99（ミリ秒）')).toBeGreaterThanOrEqual(200)
  when('then 1,100 reads from memory', '続けてメモリから1,100回読む')
  await readOften(fresh, warm!, 1100)
  const after = await metricsOf(fresh)
  expect(after.requests, say('requests', 'リクエスト数')).toBe(before.requests + 1100)
  expect(after.latencyMs.p99, say('p99 in ms', 'p99（ミリ秒）')).toBeLessThan(200)
})

test(say('Redis fails, and is counted', 'Redisの失敗も数える'), async ({ random }) => {
  const keys = await rows(fleet, random, 5)
  const before = await metricsOf(fresh)
  when(
    "the new server's link to Redis is cut; 5 reads of new keys, twice",
    '新しいサーバーとRedisの間を切り、新しいキー5個を2回ずつ読む',
  )
  expect(fresh.toRedis.cut(), say('connections broken', '切れた接続の数')).toBeGreaterThan(0)
  for (const key of [...keys, ...keys]) expect(await fresh.get(key)).toAnswer(200)
  const after = await metricsOf(fresh)
  expect(after.requests - before.requests, say('requests', 'リクエスト数')).toBe(10)
  expect(after.l2.errors, say('l2.errors', 'l2.errors')).toBeGreaterThan(before.l2.errors)
  expect(after.hitRate, say('hitRate', 'hitRate')).toBeLessThanOrEqual(1)
  await fresh.toRedis.open()
  await eventually(
    say('the new server hears of a PUT again', '新しいサーバーが再びPUTを知る'),
    async () => {
      await s0.put(keys[0]!, 'x')
      return (await metricsOf(fresh)).invalidations.received as number
    },
    (received) => received > after.invalidations.received,
  )
})
