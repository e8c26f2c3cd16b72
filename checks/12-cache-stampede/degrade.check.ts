import { beforeAll, eventually, expect, say, test, when } from '#harness'
import { limitedServers } from '../../labs/12-cache-stampede/tests/fleets.ts'
import {
  cacheOf,
  herd,
  hold,
  STATEMENTS,
  tally,
  waiting,
  warmUp,
  type Front,
} from '../../labs/12-cache-stampede/tests/front.ts'

let front: Front

/** All but s3. */
const PATIENT_ONES = [0, 1, 2]

beforeAll(async () => {
  front = await limitedServers()
})

test(say('Redis is silent', 'Redisが黙り込む'), async () => {
  const [first, ...keys] = await front.rows(21)
  when(
    'the path from s3 to Redis becomes a black hole, REDIS_TIMEOUT_MS is 300',
    's3からRedisへの経路がブラックホールになる。REDIS_TIMEOUT_MSは300である',
  )
  front.toRedis[3]!.blackHole()
  const answer = await front.get(3, first!)
  expect(answer).toAnswer(200)
  expect(cacheOf(answer), say('X-Cache', 'X-Cache')).toBe('bypass')
  expect(answer.ms, say('ms until the first answer', '最初の応答までのミリ秒')).toBeLessThan(2000)
  const begun = performance.now()
  for (const key of keys) expect(await front.get(3, key)).toAnswer(200)
  expect(
    Math.round(performance.now() - begun),
    say('ms for 20 more, one after another', '続けて読んだ20件にかかったミリ秒'),
  ).toBeLessThan(5000)
  await front.toRedis[3]!.open()
})

test(say('Redis is gone, and comes back empty', 'Redisが落ち、空で戻ってくる'), async () => {
  await warmUp(front)
  when('Redis is killed', 'Redisを強制終了する')
  await front.redis.kill()
  await withoutPostgres()
  await hotKey()
  await afterOverload()
  when('Redis is started again, empty', 'Redisを空の状態で起動し直す')
  await front.redis.start()
  await cold()
})

async function withoutPostgres(): Promise<void> {
  const key = await front.row()
  when('s0 is cut off from Postgres as well', 's0とPostgresの間も切断する')
  front.toPostgres[0]!.cut()
  expect(await front.get(0, key, '', { within: 5000 })).toAnswer(503)
  await front.toPostgres[0]!.open()
}

async function hotKey(): Promise<void> {
  const key = await front.row()
  await Promise.all(front.servers.map((_, i) => front.get(i, key)))
  const before = await front.statements(key)
  when(
    'Redis is dead, and 1,000 clients GET one key at four servers',
    'Redisがないまま、1,000個のクライアントが一つのキーを4台でGETする',
  )
  const lock = await hold(front)
  const readers = herd(front, 1000, () => key)
  await Promise.all([waiting(front, undefined, 4), readers.begun])
  await lock.release()
  // Whoever sheds by waiting time may refuse them. How often Postgres was asked decides.
  for (const answer of await readers.done) {
    expect(answer, undefined, { hint: 3 }).toAnswer([200, 503])
    if (answer.status === 503) expect(answer).toAnswer(503, { error: 'overloaded' })
  }
  // One flight a server; a second one where a request came in the very moment of its end.
  expect((await front.statements(key)) - before, STATEMENTS, { hint: 3 }).toBeLessThanOrEqual(8)
}

async function afterOverload(): Promise<void> {
  const keys = await front.rows(25)
  const leaving = new AbortController()
  when(
    's0 is full: 4 statements run, 20 readers wait, and all of them hang up',
    's0が満杯になる。4件のSQL文が動き、20人が待ち、全員が接続を切る',
  )
  const lock = await hold(front)
  const readers = herd(front, 24, (i) => keys[i]!, { servers: [0], signal: leaving.signal })
  await Promise.all([waiting(front, 0, 4), readers.begun])
  leaving.abort()
  await readers.done
  await lock.release()
  await eventually(
    say('200 for the next reader', '次の読み手への200'),
    async () => (await front.get(0, keys[24]!)).status,
    200,
    { within: 10_000, every: 20 },
  )
  const eight = async () => tally(await herd(front, 8, (i) => keys[i]!, { servers: [0] }).done)
  const label = say('eight readers at once, afterwards', 'そのあと同時に読んだ8人')
  // What the others had asked for may still stand in the queue.
  await eventually(label, eight, { 200: 8 }, { within: 10_000, every: 20 })
  for (let round = 0; round < 2; round++) expect(await eight(), label).toEqual({ 200: 8 })
}

async function cold(): Promise<void> {
  const [other, hot] = await front.rows(2)
  for (const i of PATIENT_ONES)
    await eventually(
      say(`a hit at s${i}`, `s${i}でのhit`),
      async () => cacheOf(await front.get(i, other!)),
      'hit',
      { every: 20 },
    )
  when('400 clients GET one hot key at s0, s1 and s2', '400個のクライアントが人気のキーをs0、s1、s2でGETする')
  const lock = await hold(front)
  const readers = herd(front, 400, () => hot!, { servers: PATIENT_ONES })
  await Promise.all([waiting(front), readers.begun])
  await lock.release()
  expect(tally(await readers.done)).toEqual({ 200: 400 })
  expect(await front.statements(hot!), STATEMENTS).toBe(1)
}
