import { beforeAll, eventually, expect, say, test, when } from '#harness'
import { fourServers } from './fleets.ts'
import { cacheOf, herd, hold, STATEMENTS, tally, waiting, type Front } from './front.ts'
import { plant } from './planted.ts'

let front: Front

beforeAll(async () => {
  front = await fourServers()
})

test(
  say('a stale entry is served at once, and refreshed once', '古いエントリーはすぐに返し、更新は1回だけ行う'),
  async ({ random }) => {
    const value = random.word()
    const key = await front.row(value)
    await plant(front, key, { value: 'old', left: -1, age: 20_000, version: 0 })
    when(
      'the entry has been stale for a moment, the table is locked, and 100 clients GET the key at four servers',
      'エントリーの鮮度が切れた直後にテーブルをロックし、100個のクライアントが4台でGETする',
    )
    const lock = await hold(front)
    const readers = herd(front, 100, () => key, { within: 10_000 })
    const answers = await readers.done
    expect(
      tally(answers),
      say('answers while the table is locked', 'テーブルがロックされている間の応答'),
    ).toEqual({
      200: 100,
    })
    for (const answer of answers) expect(answer).toAnswer(200, { value: 'old' })
    expect(
      [...new Set(answers.map(cacheOf))],
      say('X-Cache of the 100 answers', '100件の応答のX-Cache'),
    ).toEqual(['stale'])
    await waiting(front)

    when('the lock on the table is released', 'テーブルのロックを外す')
    await lock.release()
    await eventually(
      say('a hit with the new value at s0', 's0での新しい値のhit'),
      async () => {
        const answer = await front.get(0, key)
        return [cacheOf(answer), answer.body?.value]
      },
      ['hit', value],
      { every: 20 },
    )
    expect(await front.statements(key), STATEMENTS, { hint: 3 }).toBe(1)
  },
)

test(say('bounded: as old as the reader allows', 'bounded：読み手が許す古さまで'), async ({ random }) => {
  const value = random.word()
  const [young, old] = await front.rows(2, value)
  await plant(front, young!, { value: 'young', age: 3000, version: 0 })
  await plant(front, old!, { value: 'old', age: 8000, version: 0 })
  const bounded = 'consistency=bounded&maxAgeMs=5000'
  when(
    'bounded GET with maxAgeMs=5000 of an entry fetched 3 s ago',
    '3秒前に取得したエントリーを、boundedかつmaxAgeMs=5000でGETする',
  )
  expect(await front.get(0, young!, bounded), undefined, { hint: 2 }).toAnswer(200, { value: 'young' })
  expect(await front.statements(young!), STATEMENTS, { hint: 2 }).toBe(0)
  when('the same for an entry fetched 8 s ago', '8秒前に取得したエントリーで同じことをする')
  expect(await front.get(0, old!, bounded), undefined, { hint: 2 }).toAnswer(200, { value })
})

test(say('strong: the row as it is', 'strong：今の行そのもの'), async ({ random }) => {
  const value = random.word()
  const key = await front.row(value)
  await plant(front, key, { value: 'wrong', version: 0 })
  when(
    'strong GET of a key whose fresh entry is wrong',
    '新鮮だが誤ったエントリーを持つキーをstrongでGETする',
  )
  expect(await front.get(0, key, 'consistency=strong')).toAnswer(200, { value })
})
