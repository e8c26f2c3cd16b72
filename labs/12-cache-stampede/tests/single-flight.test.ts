import { beforeAll, expect, say, test, when } from '#harness'
import { fourServers } from './fleets.ts'
import { herd, hold, STATEMENTS, tally, waiting, type Front } from './front.ts'

let front: Front

beforeAll(async () => {
  front = await fourServers()
})

// #region herd
test(
  say('two hundred readers of one server, one statement', '1台に200人が来ても、SQLは1回'),
  async ({ random }) => {
    const value = random.word()
    const key = await front.row(value)
    when(
      'the table is locked, and 200 clients GET one cold key at s0',
      'テーブルをロックし、200個のクライアントが冷えたキーをs0でGETする',
    )
    const lock = await hold(front)
    const readers = herd(front, 200, () => key, { servers: [0] })
    await Promise.all([waiting(front, 0), readers.begun])
    when(
      'the lock on the table is released when all 200 have been sent',
      '200件すべてを送ったあとで、ロックを外す',
    )
    await lock.release()
    const answers = await readers.done
    expect(await front.statements(key), STATEMENTS).toBe(1)
    expect(tally(answers), say('answers by status', 'ステータスごとの応答数')).toEqual({ 200: 200 })
    for (const answer of answers) expect(answer).toAnswer(200, { key, value })
  },
)
// #endregion herd
