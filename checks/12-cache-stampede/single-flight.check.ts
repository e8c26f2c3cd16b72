import { beforeAll, eventually, expect, say, test, when } from '#harness'
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
import { plant, plantAbsent } from '../../labs/12-cache-stampede/tests/planted.ts'

let front: Front

beforeAll(async () => {
  front = await fourServers()
})

test(say('one slow key does not delay another', '遅いキーは、ほかのキーを待たせない'), async () => {
  const [slow, other] = await front.rows(2)
  when('the answer of Postgres to one key is held', '一つのキーへのPostgresの応答を止める')
  const held = front.toPostgres[0]!.holdOn(slow!)
  const first = front.get(0, slow!)
  await untilHeld(held, say('the statement of s0 for the first key', '最初のキーへのs0のSQL文'))
  expect(await front.get(0, other!), say('another key meanwhile', 'その間の別のキー')).toAnswer(200)
  held.release()
  expect(await first).toAnswer(200)
})

test(say('a computation that fails is over', '失敗した計算は、そこで終わる'), async () => {
  const key = await front.row()
  when(
    'the backend that runs the query of 20 readers is terminated',
    '20人が待つクエリのバックエンドを打ち切る',
  )
  const lock = await hold(front)
  const readers = herd(front, 20, () => key, { servers: [0] })
  await Promise.all([waiting(front, 0), readers.begun])
  const answers = await terminateUntil(front, 0, readers.done)
  for (const answer of answers) expect(answer).toAnswer(503, { error: 'database_unavailable' })
  when('the table is free, and one more reader comes', 'テーブルが空いてから、もう一人が読む')
  await lock.release()
  expect(await front.get(0, key)).toAnswer(200, { key })
})

test(say('199 of 200 readers go away', '200人のうち199人が去る'), async () => {
  const key = await front.row()
  const leaving = new AbortController()
  when(
    '200 readers wait for one computation, and all but the last hang up',
    '200人が一つの計算を待ち、最後の一人以外が接続を切る',
  )
  const lock = await hold(front)
  const readers = herd(front, 199, () => key, { servers: [0], signal: leaving.signal })
  await Promise.all([waiting(front, 0), readers.begun])
  const last = front.get(0, key)
  leaving.abort()
  await readers.done
  await lock.release()
  expect(await last).toAnswer(200, { key })
})

test(say('a key that does not exist', '存在しないキー'), async () => {
  const key = newKey()
  when('200 clients GET a key without a row', '行のないキーを200個のクライアントがGETする')
  const lock = await hold(front)
  const readers = herd(front, 200, () => key, { servers: [0] })
  await Promise.all([waiting(front, 0), readers.begun])
  await lock.release()
  const answers = await readers.done
  expect(tally(answers)).toEqual({ 404: 200 })
  expect(answers[0]).toAnswer(404, { error: 'not_found' })
  expect(await front.statements(key), STATEMENTS).toBe(1)
})

test(
  say('an entry that makes no sense is a miss', '読めないエントリーは、ないのと同じ'),
  async ({ random }) => {
    const value = random.word()
    const [broken, short, text, good] = await front.rows(4, value)
    const times = { fetchedAt: Date.now(), deltaMs: 1, freshUntil: Date.now() + 60_000 }
    await front.redis.client.hset(`entry:${broken!}`, { ...times, value: '{', version: 0 })
    when('the value of an entry is {', 'エントリーの値が{になっている')
    expect(await front.get(0, broken!)).toAnswer(200, { value })
    await front.redis.client.hset(`entry:${short!}`, { value: '"planted"', version: 0 })
    when('an entry says nothing of its age', 'エントリーに時刻が書かれていない')
    expect(await front.get(0, short!)).toAnswer(200, { value })
    await front.redis.client.set(`entry:${text!}`, 'text')
    await plant(front, good!)
    when('a string stands where the hash of an entry should be', 'エントリーのハッシュの場所に文字列がある')
    expect(await front.get(0, text!)).toAnswer(200, { value })
    when(
      'a fresh entry of another key is read right after it',
      'その直後に、別のキーの新鮮なエントリーを読む',
    )
    expect(cacheOf(await front.get(0, good!)), say('X-Cache', 'X-Cache')).toBe('hit')
  },
)

test(say('what stands in Redis is a contract', 'Redisに置くものは契約である'), async () => {
  const key = await front.row()
  when(
    'a key has been computed with TTL_MS=60000 and STALE_MS=60000',
    'TTL_MSとSTALE_MSが60000で、キーを計算した',
  )
  expect(await front.get(0, key)).toAnswer(200)
  const entry = await front.redis.client.hgetall(`entry:${key}`)
  const drops = Date.now() + (await front.redis.client.pttl(`entry:${key}`))
  const late = drops - Number(entry.freshUntil) - 60_000
  const label = say(
    'ms from freshUntil + STALE_MS until Redis drops the entry',
    'freshUntil＋STALE_MSからRedisが消すまでのミリ秒',
  )
  expect(late, label).toBeGreaterThanOrEqual(-5000)
  expect(late, label).toBeLessThanOrEqual(5000)

  when('another service has stored that there is no such row', '行がないことを、別のサービスが保存した')
  await eventually(
    say('404 from the entry, while it is fresh', '新鮮な間は、エントリーから404'),
    async () => {
      const absent = await front.row()
      await plantAbsent(front, absent, 1000)
      return (await front.get(0, absent)).status
    },
    404,
  )
  const over = await front.row()
  await plantAbsent(front, over, -1)
  when('the same, and its fresh life is over', '同じエントリーの鮮度が切れた')
  expect(await front.get(0, over)).toAnswer(200)
})
