import { beforeAll, burst, eventually, expect, say, shared, test, when } from '#harness'
import { rows } from '../../labs/11-two-tier-cache/tests/expiry.ts'
import { readOften, startFleet, type Fleet, type Server } from '../../labs/11-two-tier-cache/tests/fleet.ts'
import { inMemory, metricsOf } from '../../labs/11-two-tier-cache/tests/seeing.ts'

let fleet: Fleet
let s0: Server
let s1: Server

beforeAll(async () => {
  fleet = await shared('new servers', () => startFleet(2, { REDIS_TIMEOUT_MS: 500 }))
  ;[s0, s1] = fleet.servers as [Server, Server]
})

test(say('nothing has happened yet', 'まだ何も起きていない'), async () => {
  when(
    'a new server has been asked for nothing but /health and /metrics',
    '起動したばかりのサーバーに、/healthと/metricsだけを尋ねた',
  )
  for (let i = 0; i < 3; i++) await s0.role.get('/health')
  await metricsOf(s0)
  const { requests, hitRate, latencyMs, l1, l2, db, invalidations } = await metricsOf(s0)
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
  const [warm, ...cold] = await rows(fleet, random, 31)
  await inMemory(fleet, [s1], warm!)
  when(
    '30 reads whose answer from Postgres takes 200 ms longer',
    'Postgresの応答が200ミリ秒遅い読み取りを30回',
  )
  s1.toPg.delay(200, { directions: 'reply' })
  await burst(30, (i) => s1.get(cold[i]!)).done
  s1.toPg.delay(0)
  const before = await metricsOf(s1)
  expect(before.latencyMs.p99, say('p99 in ms', 'p99(ミリ秒)')).toBeGreaterThanOrEqual(200)
  when('then 1,500 reads from memory', '続けてメモリから1,500回読む')
  await readOften(s1, warm!, 1500)
  const after = await metricsOf(s1)
  expect(after.requests, say('requests', 'リクエスト数')).toBe(before.requests + 1500)
  expect(after.latencyMs.p99, say('p99 in ms', 'p99(ミリ秒)')).toBeLessThan(200)
})

test(say('Redis fails, and is counted', 'Redisの失敗も数える'), async ({ random }) => {
  const keys = await rows(fleet, random, 5)
  const before = await metricsOf(s0)
  when(
    "s0's link to Redis is cut; 5 reads of new keys, twice",
    's0とRedisの間を切り、新しいキー5個を2回ずつ読む',
  )
  expect(s0.toRedis.cut(), say('connections broken', '切れた接続の数')).toBeGreaterThan(0)
  for (const key of [...keys, ...keys]) expect(await s0.get(key)).toAnswer(200)
  const after = await metricsOf(s0)
  expect(after.requests - before.requests, say('requests', 'リクエスト数')).toBe(10)
  expect(after.l2.errors, say('l2.errors', 'l2.errors')).toBeGreaterThan(before.l2.errors)
  expect(after.hitRate, say('hitRate', 'hitRate')).toBeLessThanOrEqual(1)
  await s0.toRedis.open()
  await eventually(
    say('s0 hears of a PUT again', 's0が再びPUTを知る'),
    async () => {
      await s1.put(keys[0]!, 'x')
      return (await metricsOf(s0)).invalidations.received as number
    },
    (received) => received > after.invalidations.received,
  )
})
