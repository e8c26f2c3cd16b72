import { setTimeout as pause } from 'node:timers/promises'
import { beforeAll, eventually, expect, say, test, when, type Monitor } from '#harness'
import { fourServers } from '../../labs/12-cache-stampede/tests/fleets.ts'
import {
  cacheOf,
  herd,
  hold,
  newKey,
  STATEMENTS,
  tally,
  terminateUntil,
  untilHeld,
  waiting,
  type Front,
} from '../../labs/12-cache-stampede/tests/front.ts'

let front: Front

beforeAll(async () => {
  front = await fourServers()
})

/** Commands that servers have sent to Redis about a key, those of their scripts not counted again. */
const about = async (monitor: Monitor, key: string) =>
  (await monitor.commands()).filter(
    ({ args, client }) => client !== 'lua' && args.some((arg) => arg.includes(key)),
  )

const lockOf = (key: string): Promise<string | null> => front.redis.client.get(`lock:${key}`)

test(say('a miss that was seen too early', '早く見すぎた「なし」'), async () => {
  const key = await front.row()
  const monitor = await front.redis.monitor()
  when(
    "s1 asks Redis and the answer 'nothing' is held on the way; s0 computes, stores and releases",
    's1がRedisに尋ね、「なし」という応答が途中で止まる。その間にs0が計算し、保存し、ロックを返す',
  )
  const held = front.toRedis[1]!.holdOn(key)
  const late = front.get(1, key)
  const ASKS = say('s1 asks Redis for the key', 's1がRedisにキーを尋ねる')
  await untilHeld(held, ASKS)
  await eventually(ASKS, async () => (await about(monitor, key)).length > 0)
  const first = front.get(0, key)
  // Whoever looks and takes the lock in one step has no gap: s0 waits for s1 then.
  if ((await lockOf(key)) === null) {
    expect(await first).toAnswer(200)
    await eventually(say('lock:<key> is released', 'lock:<key>が返される'), () => lockOf(key), null)
  }
  when("s1 gets its answer 'nothing'", 's1に「なし」が届く')
  held.release()
  expect(await first).toAnswer(200)
  expect(await late).toAnswer(200)
  expect(await front.statements(key), STATEMENTS, { hint: 3 }).toBe(1)
})

test(say('twenty keys at once', '20個のキーを同時に'), async () => {
  const keys = await front.rows(20)
  when('20 keys are read at all four servers', '20個のキーを4台すべてで読む')
  const answers = await herd(front, 80, (i) => keys[Math.floor(i / 4)]!).done
  expect(tally(answers)).toEqual({ 200: 80 })
  const counts = await front.counts(keys)
  expect(counts, say('statements by key', 'キーごとのSQL文の数')).toEqual(keys.map(() => 1))
})

test(say('a key that does not exist', '存在しないキー'), async () => {
  const key = newKey()
  when('200 clients GET a key without a row at four servers', '行のないキーを4台で200件GETする')
  const lock = await hold(front)
  const readers = herd(front, 200, () => key)
  await Promise.all([waiting(front), readers.begun])
  await lock.release()
  expect(tally(await readers.done)).toEqual({ 404: 200 })
  expect(await front.statements(key), STATEMENTS).toBe(1)
})

test(say('the holder gets an error from Postgres', 'ロックの持ち主がPostgresのエラーを受ける'), async () => {
  const key = await front.row()
  when('the statement of s0 is terminated by an operator', 's0のSQL文が運用担当者に打ち切られる')
  const lock = await hold(front)
  const reader = front.get(0, key)
  await waiting(front, 0)
  expect(await terminateUntil(front, 0, reader)).toAnswer(503)
  await lock.release()
  when('s1 is asked for the same key', 's1に同じキーを尋ねる')
  expect(
    await front.get(1, key, '', { within: 5000 }),
    say('long before LOCK_TTL_MS is over', 'LOCK_TTL_MSよりずっと前に'),
  ).toAnswer(200)
})

test(say('waiting costs little', '待つ間の負荷は小さい'), async () => {
  const key = await front.row()
  const monitor = await front.redis.monitor()
  when('s0 computes, and s1 waits for at least 150 ms', 's0が計算し、s1が150ミリ秒以上待つ')
  const lock = await hold(front)
  const first = front.get(0, key)
  await waiting(front, 0)
  const asked = (await about(monitor, key)).length
  const second = front.get(1, key)
  await eventually(
    say('s1 asks Redis for the key', 's1がRedisにキーを尋ねる'),
    async () => (await about(monitor, key)).length,
    (count) => count > asked,
  )
  const begun = performance.now()
  const before = (await about(monitor, key)).length
  await pause(150)
  const commands = (await about(monitor, key)).length - before
  const perWindow = commands / ((performance.now() - begun) / 300)
  expect(
    Math.round(perWindow),
    say('Redis commands of the waiting server in 300 ms', '待つサーバーが300ミリ秒に送るRedisコマンド'),
  ).toBeLessThanOrEqual(60)
  await lock.release()
  expect(await first).toAnswer(200)
  const answer = await second
  expect(answer).toAnswer(200)
  expect(cacheOf(answer), say('X-Cache of the one who waited', '待った側のX-Cache')).toBe('miss')
})
