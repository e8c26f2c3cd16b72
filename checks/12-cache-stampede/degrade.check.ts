import { beforeAll, eventually, expect, say, test, when } from '#harness'
import {
  cacheOf,
  herd,
  hold,
  openFront,
  STATEMENTS,
  tally,
  warmUp,
  type Front,
} from '../../labs/12-cache-stampede/tests/front.ts'

let front: Front

/** s3 gives Redis 100 ms. */
beforeAll(async () => {
  const limits = { DB_MAX_CONCURRENCY: 4, DB_QUEUE_MAX: 20 }
  front = await openFront(4, limits, [{}, {}, {}, { REDIS_TIMEOUT_MS: 100 }])
  await warmUp(front)
})

test(say('Redis is silent', 'Redisが黙り込む'), async () => {
  const [first, ...keys] = await front.rows(21)
  when(
    'the path from s3 to Redis becomes a black hole, REDIS_TIMEOUT_MS is 100',
    's3からRedisへの経路がブラックホールになる。REDIS_TIMEOUT_MSは100である',
  )
  front.toRedis[3]!.blackHole()
  const answer = await front.get(3, first!)
  expect(answer).toAnswer(200)
  expect(answer.ms, say('ms until the first answer', '最初の応答までのミリ秒')).toBeLessThan(1000)
  const begun = performance.now()
  for (const key of keys) expect(await front.get(3, key)).toAnswer(200)
  expect(
    Math.round(performance.now() - begun),
    say('ms for 20 more, one after another', '続けて読んだ20件にかかったミリ秒'),
  ).toBeLessThan(1500)
  await front.toRedis[3]!.open()
})

test(say('without Redis and without Postgres', 'RedisもPostgresもない'), async () => {
  const key = await front.row()
  when('Redis is killed, and s0 is cut off from Postgres', 'Redisを強制終了し、s0とPostgresの間を切断する')
  await front.redis.kill()
  front.toPostgres[0]!.cut()
  expect(await front.get(0, key, '', { within: 3000 })).toAnswer(503)
  await front.toPostgres[0]!.open()
})

test(say('a hot key without Redis', 'Redisなしで人気のキーを読む'), async () => {
  await front.redis.kill()
  const key = await front.row()
  await Promise.all(front.servers.map((_, i) => front.get(i, key)))
  const before = await front.statements(key)
  when('1,000 clients GET one key at four servers', '1,000個のクライアントが一つのキーを4台でGETする')
  const lock = await hold(front)
  const readers = herd(front, 1000, () => key)
  await Promise.all([lock.waiters(4), readers.begun])
  await lock.release()
  const answers = say('answers by status', 'ステータスごとの応答数')
  expect(tally(await readers.done), answers, { hint: 3 }).toEqual({ 200: 1000 })
  // One flight a server; a second one where a request came in the very moment of its end.
  expect((await front.statements(key)) - before, STATEMENTS, { hint: 3 }).toBeLessThanOrEqual(8)
})

test(say('after the overload', '過負荷のあと'), async () => {
  const keys = await front.rows(25)
  await front.redis.kill()
  const leaving = new AbortController()
  when(
    's0 is full: 4 statements run, 20 readers wait, and all of them hang up',
    's0が満杯になる。4件の文が動き、20人が待ち、全員が接続を切る',
  )
  const lock = await hold(front)
  const readers = herd(front, 24, (i) => keys[i]!, { servers: [0], signal: leaving.signal })
  await Promise.all([lock.waiters(4, 's0'), readers.begun])
  leaving.abort()
  await readers.done
  await lock.release()
  await eventually(
    say('200 for the next reader', '次の読み手への200'),
    async () => (await front.get(0, keys[24]!)).status,
    200,
    { within: 3000, every: 20 },
  )
  for (let round = 0; round < 3; round++) {
    const answers = await herd(front, 8, (i) => keys[i]!, { servers: [0] }).done
    expect(tally(answers), say('eight readers at once, afterwards', 'そのあと同時に読んだ8人')).toEqual({
      200: 8,
    })
  }
})

test(say('Redis comes back empty', 'Redisが空で戻ってくる'), async () => {
  const [other, hot] = await front.rows(2)
  await front.redis.kill()
  await front.redis.start()
  for (const i of front.servers.keys())
    await eventually(
      say(`a hit at s${i}`, `s${i}でのhit`),
      async () => cacheOf(await front.get(i, other!)),
      'hit',
      { every: 20 },
    )
  when('400 clients GET one hot key', '400個のクライアントが人気のキーをGETする')
  const lock = await hold(front)
  const readers = herd(front, 400, () => hot!)
  await Promise.all([lock.waiters(1), readers.begun])
  await lock.release()
  expect(tally(await readers.done)).toEqual({ 200: 400 })
  expect(await front.statements(hot!), STATEMENTS).toBe(1)
})
