import { ahead, beforeAll, eventually, expect, say, test, when } from '#harness'
import { fourServers } from '../../labs/12-cache-stampede/tests/fleets.ts'
import { herd, hold, tally, waiting, withMore, type Front } from '../../labs/12-cache-stampede/tests/front.ts'

let front: Front

/** Its s4 waits 300 ms for others. */
let impatient: Promise<Front>

beforeAll(async () => {
  front = await fourServers()
  impatient = ahead(() => withMore(front, [{ LOCK_WAIT_MS: 300 }]))
})

test(say('every computation has a token of its own', '計算ごとに別のトークンを使う'), async () => {
  const keys = await front.rows(30)
  const monitor = await front.redis.monitor()
  when('30 keys are computed', '30個のキーを計算する')
  expect(tally(await herd(front, 30, (i) => keys[i]!, { servers: [0] }).done)).toEqual({ 200: 30 })
  const tokens = (await monitor.commands())
    .filter(({ args }) => /^set(nx)?$/i.test(args[0] ?? '') && args[1]?.startsWith('lock:key-'))
    .map(({ args }) => args[2]!)
  expect(new Set(tokens).size, say('different tokens', 'トークンの種類')).toBe(30)
  expect(
    Math.min(...tokens.map(({ length }) => length)),
    say('characters of the shortest token', 'いちばん短いトークンの文字数'),
  ).toBeGreaterThanOrEqual(16)
  await eventually(
    say('no lock is left', 'ロックが残らない'),
    () => front.redis.client.exists(...keys.map((key) => `lock:${key}`)),
    0,
  )
})

test(say('a lock always has an end', 'ロックには必ず期限がある'), async () => {
  const key = await front.row()
  const left = () => front.redis.client.pttl(`lock:${key}`)
  const label = say('PTTL of lock:<key>', 'lock:<key>のPTTL')
  when(
    's0 takes the lock, and the answer of Redis to that command is held on the way',
    's0がロックを取る。そのコマンドへのRedisの応答を、途中で止める',
  )
  const lock = await hold(front)
  const held = front.toRedis[0]!.holdOn(`lock:${key}`)
  const reader = front.get(0, key)
  const taken = await eventually(say('lock:<key> in Redis', 'Redisのlock:<key>'), left, (ms) => ms !== -2)
  expect(taken, label, { hint: 1 }).toBeGreaterThan(0)
  held.release()
  when('the computation is under way', '計算が進行中である')
  await waiting(front, 0)
  expect(await left(), label, { hint: 1 }).toBeGreaterThan(0)
  expect(await left(), label).toBeLessThanOrEqual(10_000)
  await lock.release()
  expect(await reader).toAnswer(200)
})

test(say('a lock that nobody will give back', '誰も返さないロック'), async () => {
  const [key, stuck] = await front.rows(2)
  const hasty = await impatient
  await Promise.all([
    front.redis.client.set(`lock:${key!}`, 'other', 'PX', 300),
    front.redis.client.set(`lock:${stuck!}`, 'other', 'PX', 60_000),
  ])
  when('lock:<key> belongs to nobody and ends in 300 ms', 'lock:<key>の持ち主がおらず、300ミリ秒で切れる')
  const soon = front.get(0, key!, '', { within: 5000 })
  const never = hasty.get(4, stuck!, '', { within: 5000 })
  expect(await soon).toAnswer(200)
  when(
    'lock:<key> is held for another minute, and LOCK_WAIT_MS is 300',
    'lock:<key>がさらに1分間保持され、LOCK_WAIT_MSは300である',
  )
  const answer = await never
  expect(answer, say('no hang', '待ち続けない')).toAnswer([200, 503])
  if (answer.status === 503) expect(answer).toAnswer(503, { error: 'overloaded' })
  expect(await front.redis.client.get(`lock:${stuck!}`), say("the other one's lock", '他者のロック')).toBe(
    'other',
  )
})
