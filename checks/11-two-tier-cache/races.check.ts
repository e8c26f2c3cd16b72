import { beforeAll, burst, expect, say, test, when } from '#harness'
import { rows } from '../../labs/11-two-tier-cache/tests/expiry.ts'
import { insert, newKey, fourServers, type Fleet } from '../../labs/11-two-tier-cache/tests/fleet.ts'
import { answerHeld, MESSAGE_MS, messagesReached, warmUp } from '../../labs/11-two-tier-cache/tests/races.ts'
import { converge, inMemory, seen } from '../../labs/11-two-tier-cache/tests/seeing.ts'

let fleet: Fleet

beforeAll(async () => {
  fleet = await fourServers()
})

test(say('a fill against a deletion', '書き戻しと削除'), async ({ random }) => {
  const [s0, s1, s2] = fleet.servers
  const control = await warmUp(fleet, random)
  const key = newKey(random)
  await insert(fleet, key, 'v1')
  when(
    'the answer of Postgres to s0 is on its way, with v1; DELETE at s1',
    'Postgresからs0への応答v1は途中にある。s1にDELETEを送る',
  )
  const reading = await answerHeld(fleet, s0!, key)
  expect((await s1!.delete(key)).status, say('status', 'ステータス')).toBe(204)
  await messagesReached(s0!, s1!, s2!, control)
  s0!.toPg.release()
  expect(await reading.answer).toAnswer([200, 404])
  await converge(fleet.servers.slice(1), key, 404, { hint: 2 })
  await converge([s0!], key, 404, { hint: 3 })
})

test(say('ten fills at once', '10件の書き戻しが同時に'), async ({ random }) => {
  const [s0, s1, s2] = fleet.servers
  const control = await warmUp(fleet, random)
  const others = await rows(fleet, random, 10)
  const key = newKey(random)
  await insert(fleet, key, 'v1')
  when(
    'the answer of Postgres to s0 is on its way, ten more reads have been sent to s0; PUT of the first key at s1',
    'Postgresからs0への応答は途中にあり、s0にはさらに10件の読み取りが送られている。最初のキーをs1にPUTする',
  )
  const reading = await answerHeld(fleet, s0!, key)
  s0!.toPg.hold('reply')
  const more = burst(10, (i) => s0!.get(others[i]!))
  await more.sent
  expect(await s1!.put(key, 'v2')).toAnswer(200)
  await messagesReached(s0!, s1!, s2!, control)
  s0!.toPg.release()
  expect(await reading.answer).toAnswer(200)
  // One may have waited too long for a connection of the pool: that is the service's own bound.
  const statuses = (await more.done).map(({ status }) => status)
  for (const status of statuses)
    expect([200, 503], say('the other ten reads', 'ほかの10件の読み取り')).toContain(status)
  await converge(fleet.servers.slice(1), key, 'v2', { hint: 2 })
  await converge([s0!], key, 'v2', { hint: 3 })
  for (const other of others) await converge([s0!], other, 'v1', { again: 1 })
})

test(say('from Redis to memory, overtaken', 'Redisからメモリへ、追い越される'), async ({ random }) => {
  const [s0, s1, s2] = fleet.servers
  const control = await warmUp(fleet, random)
  const key = newKey(random)
  await insert(fleet, key, 'v1')
  await s1!.get(key)
  when(
    "Redis's answer to s0, with v1, is on its way; PUT v2 at s1",
    'Redisからs0への応答v1は途中にある。s1にv2をPUTする',
  )
  const hold = s0!.toRedis.holdOn(key)
  const reading = s0!.get(key)
  await Promise.race([hold.held, reading])
  expect(hold.isHeld, say('s0 has asked Redis for the key', 's0がRedisにキーを尋ねた')).toBe(true)
  expect(await s1!.put(key, 'v2')).toAnswer(200)
  const reached = messagesReached(s0!, s1!, s2!, control)
  await Promise.race([reached, new Promise((resolve) => setTimeout(resolve, MESSAGE_MS))])
  hold.release()
  await reached
  expect(await reading).toAnswer(200)
  await converge(fleet.servers, key, 'v2', { hint: 3 })
})

test(say('200 operations, late links', '200回の操作と、遅れるリンク'), async ({ random }) => {
  const keys = Array.from({ length: 5 }, () => newKey(random))
  await warmUp(fleet, random)
  for (const { toPg, toRedis } of fleet.servers)
    for (const link of [toPg, toRedis]) link.delay(1.5, { jitter: 1.5 })
  when(
    '200 random reads, PUTs and DELETEs of 5 keys, eight at a time, all links late by 0 to 3 ms',
    '5個のキーへの読み取り、PUT、DELETEをでたらめに200回、8件ずつ同時に送る。リンクはすべて0〜3ミリ秒遅れる',
  )
  const plan = Array.from({ length: 200 }, (_, i) => ({
    i,
    key: random.pick(keys),
    server: random.pick(fleet.servers),
    what: random.next(),
  }))
  const worker = async (): Promise<void> => {
    for (let next = plan.shift(); next; next = plan.shift()) {
      const { i, key, server, what } = next
      const answer = await (what < 0.5
        ? server.get(key)
        : what < 0.85
          ? server.put(key, i)
          : server.delete(key))
      expect(
        [200, 204, 404].includes(answer.status),
        say(
          `an answer of ${server.name}, not ${answer.status}`,
          `${server.name}の応答（${answer.status}以外）`,
        ),
      ).toBe(true)
    }
  }
  await Promise.all(Array.from({ length: 8 }, worker))
  await Promise.all(fleet.servers.flatMap(({ toPg, toRedis }) => [toPg.open(), toRedis.open()]))
  when('quiet; then every server is read', '静かになってから、全サーバーを読む')
  for (const key of keys) {
    const [row] = await fleet.db.sql('SELECT value FROM items WHERE key = $1', [key])
    await converge(fleet.servers, key, row ? row.value : 404, { again: 3 })
  }
})

test(say('a read under way at the writer itself', '書き手自身で途中にある読み取り'), async ({ random }) => {
  const [s0] = fleet.servers
  const [control, key] = [newKey(random), newKey(random)]
  for (const k of [control, key]) await insert(fleet, k, 'old')
  await inMemory(fleet, [s0!], control)
  const lock = await fleet.db.holdLock('items', 'ACCESS EXCLUSIVE')
  when(
    'a read of s0 waits in Postgres; PUT at s0, then both go on',
    's0の読み取りがPostgresで待っている。s0にPUTし、それから両方を進める',
  )
  const reading = s0!.get(key)
  await lock.waiters(1, 's0')
  const writing = burst(1, () => s0!.put(key, 'new'))
  await writing.sent
  // It may wait in Postgres as well, or in the service behind the read. Either is right.
  const end = performance.now() + MESSAGE_MS
  const waiting = async (): Promise<number> =>
    (await fleet.db.activity({ waiting: true, application: 's0' })).length
  while (performance.now() < end && (await waiting()) < 2);
  await lock.release()
  for (const answer of await writing.done) expect(answer).toAnswer(200)
  expect(seen(await s0!.get(key)), say('s0, at once', '直後のs0')).toBe('new')
  expect(await reading).toAnswer(200)
})
