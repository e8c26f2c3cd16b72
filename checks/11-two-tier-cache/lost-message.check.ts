import { beforeAll, burst, eventually, expect, say, test, when } from '#harness'
import { insert, newKey, type Fleet } from '../../labs/11-two-tier-cache/tests/fleet.ts'
import {
  impatientServers,
  standingOf,
  type Standing,
} from '../../labs/11-two-tier-cache/tests/lost-message.ts'
import { cachedRow, converge, seen } from '../../labs/11-two-tier-cache/tests/seeing.ts'

let fleet: Fleet
/** What each server needs of Redis. */
let usual: Standing

beforeAll(async () => {
  ;({ fleet, usual } = await impatientServers())
})

const broken = say('connections broken', '切れた接続の数')
const silenced = say('bytes that did not reach Redis', 'Redisに届かなかったバイト数')

test(say('cut off from everything', 'すべてから切り離される'), async ({ random }) => {
  const [s0, s1] = fleet.servers
  const key = await cachedRow(fleet, fleet.servers, random)
  when(
    's0 is cut off from Redis and Postgres; PUT v2 at s1',
    's0をRedisからもPostgresからも切り離し、s1にv2をPUTする',
  )
  expect(s0!.toRedis.cut(), broken).toBeGreaterThan(0)
  expect(s0!.toPg.cut(), broken).toBeGreaterThan(0)
  expect(await s1!.put(key, 'v2')).toAnswer(200)
  expect([200, 503], say('s0 meanwhile', 'その間のs0')).toContain((await s0!.get(key)).status)
  when('both links are restored', '両方のリンクを戻す')
  await Promise.all([s0!.toRedis.open(), s0!.toPg.open()])
  await converge(fleet.servers, key, 'v2', { within: 2000 })
})

test(say('a Redis that says nothing', '何も言わないRedis'), async ({ random }) => {
  const [s0, s1] = fleet.servers
  const keys = Array.from({ length: 11 }, () => newKey(random))
  for (const key of keys) await insert(fleet, key, 1)
  await cachedRow(fleet, fleet.servers, random) // every server has asked Redis and Postgres before
  when(
    'nothing reaches Redis and nothing comes back; s0 reads a key that it has not',
    'Redisには何も届かず、何も返らない。s0がまだ持っていないキーを読む',
  )
  s0!.toRedis.blackHole()
  const one = await s0!.role.get(`/items/${keys[0]!}`, { within: 3000 })
  expect(one, undefined, { hint: 3 }).toAnswer(200, { value: 1 })
  expect(one.ms, say('milliseconds; REDIS_TIMEOUT_MS is 100', 'ミリ秒（REDIS_TIMEOUT_MSは100）'), {
    hint: 3,
  }).toBeLessThan(2000)
  expect(s0!.toRedis.held.request, silenced).toBeGreaterThan(0)
  when('ten at once', '10件を同時に')
  const ten = await burst(10, (i) => s0!.role.get(`/items/${keys[i + 1]!}`, { within: 3000 })).done
  for (const answer of ten) expect(answer, undefined, { hint: 3 }).toAnswer(200, { value: 1 })
  const slowest = Math.max(...ten.map(({ ms }) => ms))
  expect(slowest, say('the slowest, in ms', '最も遅いもの（ミリ秒）'), { hint: 3 }).toBeLessThan(2000)
  when('Redis is heard again; PUT at s1', 'Redisの声が戻り、s1にPUTする')
  await s0!.toRedis.open()
  expect(await s1!.put(keys[0]!, 2)).toAnswer(200)
  await converge(fleet.servers, keys[0]!, 2, { within: 2000 })
})

test(say('a write that could not be told', '知らせられなかった書き込み'), async ({ random }) => {
  const [s0, s1] = fleet.servers
  const put = await cachedRow(fleet, fleet.servers, random)
  const deleted = await cachedRow(fleet, fleet.servers, random)
  when("s0's link to Redis is cut; PUT and DELETE at s0", 's0とRedisの間を切り、s0にPUTとDELETEを送る')
  expect(s0!.toRedis.cut(), broken).toBeGreaterThan(0)
  expect(await s0!.put(put, 'v2')).toAnswer(200, { value: 'v2' })
  expect((await s0!.delete(deleted)).status, say('status', 'ステータス')).toBe(204)
  expect(seen(await s0!.get(put)), say('s0 itself, at once', '直後のs0自身')).toBe('v2')
  expect(seen(await s0!.get(deleted)), say('s0 itself, at once', '直後のs0自身')).toBe(404)
  expect(await s1!.get(put), say('s1 meanwhile', 'その間のs1')).toAnswer(200)
  when('the link is restored', 'リンクを戻す')
  await s0!.toRedis.open()
  await converge(fleet.servers, put, 'v2', { within: 2000, hint: 3 })
  await converge(fleet.servers, deleted, 404, { within: 2000, hint: 3 })
})

test(say('five cuts in a row', '5回続けて切れる'), async ({ random }) => {
  const [s0, s1] = fleet.servers
  for (let i = 1; i <= 5; i++) {
    const key = await cachedRow(fleet, fleet.servers, random)
    when(`cut ${i} of 5, PUT at s1, restored`, `5回中${i}回目の切断。s1にPUTし、戻す`)
    expect(s0!.toRedis.cut(), broken).toBeGreaterThan(0)
    expect(await s1!.put(key, i)).toAnswer(200)
    await s0!.toRedis.open()
    await converge(fleet.servers, key, i, { within: 2000, again: 2 })
    await eventually(
      say(
        `no more connections and subscriptions than before the first cut: ${JSON.stringify(usual)}`,
        `接続と購読の数が、最初に切る前より増えない：${JSON.stringify(usual)}`,
      ),
      () => standingOf(fleet),
      (now) => now.connections <= usual.connections && now.subscriptions <= usual.subscriptions,
    )
  }
})

test(say('Redis dies, and comes back empty', 'Redisが落ち、空で戻る'), async ({ random }) => {
  const [s0, s1] = fleet.servers
  const key = await cachedRow(fleet, fleet.servers, random)
  when('Redis is killed (SIGKILL); PUT v2 at s1', 'Redisを強制終了（SIGKILL）し、s1にv2をPUTする')
  await fleet.redis.kill()
  expect(await s1!.put(key, 'v2')).toAnswer(200)
  expect(await s0!.get(key)).toAnswer(200)
  when('it is started again, empty', '空の状態で起動し直す')
  await fleet.redis.start()
  await converge(fleet.servers, key, 'v2', { within: 2000 })
  await eventually(
    say('a new key: s0 asks Postgres, s1 does not', '新しいキー。s0はPostgresに尋ね、s1は尋ねない'),
    async () => {
      const fresh = newKey(random)
      await insert(fleet, fresh, 1)
      const since = await fleet.db.server.marker()
      for (const server of [s0!, s1!]) await server.get(fresh)
      const sent = await fleet.db.server.statements({ database: fleet.db.name }, since)
      return sent.filter(({ text, parameters }) => `${text} ${parameters}`.includes(fresh)).length
    },
    1,
    { within: 2000 },
  )
})
