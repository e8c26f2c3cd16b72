import { beforeAll, eventually, expect, say, test, when } from '#harness'
import { fourServers } from './fleets.ts'
import { herd, hold, STATEMENTS, tally, waiting, type Front } from './front.ts'

let front: Front

beforeAll(async () => {
  front = await fourServers()
})

test(
  say('a thousand readers of four servers, one statement', '4台に1,000人が来ても、SQLは1回'),
  async ({ random }) => {
    const value = random.word()
    const key = await front.row(value)
    const monitor = await front.redis.monitor()
    when(
      'the table is locked, and 1,000 clients GET one cold key, 250 at each of s0 to s3',
      'テーブルをロックし、1,000個のクライアントが冷えたキーをGETする（s0〜s3に250件ずつ）',
    )
    const lock = await hold(front)
    const readers = herd(front, 1000, () => key)
    await Promise.all([waiting(front), readers.begun])
    await eventually(
      say('each of the four servers asks Redis for the key', '4台のサーバーがそれぞれRedisにキーを尋ねる'),
      async () => {
        const asked = (await monitor.commands()).filter(({ args }) => args.some((arg) => arg.includes(key)))
        return new Set(asked.map(({ client }) => client).filter((client) => client !== 'lua')).size
      },
      (clients) => clients >= 4,
      { every: 20 },
    )
    when('the lock on the table is released', 'テーブルのロックを外す')
    await lock.release()
    const answers = await readers.done
    const statements = await front.statements(key)
    // As many as servers: there is no lock. Fewer: there is one, and somebody did not look again.
    expect(statements, STATEMENTS, { hint: statements < 4 ? 3 : 1 }).toBe(1)
    expect(tally(answers), say('answers by status', 'ステータスごとの応答数')).toEqual({ 200: 1000 })
    expect(
      new Set(answers.map(({ body }) => JSON.stringify(body?.value))),
      say('values in the answers', '応答に含まれる値'),
    ).toEqual(new Set([JSON.stringify(value)]))
  },
)

test(
  say('ten readers of four servers get one computation', '4台で10人が読み、同じ一つの計算結果を受け取る'),
  async () => {
    const key = await front.row()
    when('10 clients GET one cold key at four servers', '10個のクライアントが冷えたキーを4台でGETする')
    const answers = await herd(front, 10, () => key).done
    expect(tally(answers), say('answers by status', 'ステータスごとの応答数')).toEqual({ 200: 10 })
    expect(
      new Set(answers.map(({ body }) => body?.version)).size,
      say('different versions in the answers', '応答に含まれるバージョンの種類'),
    ).toBe(1)
  },
)
