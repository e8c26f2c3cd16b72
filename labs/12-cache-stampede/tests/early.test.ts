import { beforeAll, expect, say, test, when } from '#harness'
import { earlyReads, ENTRIES } from './coin.ts'
import { openFront, warmUp, type Front } from './front.ts'

let front: Front

beforeAll(async () => {
  front = await openFront(1)
  await warmUp(front)
})

// #region half
test(
  say('one reader in two refreshes an entry at its half-way point', '半々の地点では、2人に1人が更新する'),
  async () => {
    when(
      `${ENTRIES} entries took 100 s to compute and have 100 s · ln 2 of fresh life left; each is read once`,
      `計算に100秒かかり、鮮度が100秒・ln 2だけ残るエントリーが${ENTRIES}個ある。それぞれを1回ずつ読む`,
    )
    const { early, refreshed } = await earlyReads(front, 0, { deltaMs: 100_000, left: 100_000 * Math.log(2) })
    const count = say('answers with X-Cache: early', 'X-Cache: earlyの応答数')
    expect(early, count).toBeGreaterThan(0)
    // 200 expected, σ 10: six of them either way.
    expect(early, count, { hint: 3 }).toBeGreaterThanOrEqual(140)
    expect(early, count, { hint: 3 }).toBeLessThanOrEqual(260)
    expect(refreshed, say('keys refreshed, by the log of pg', '更新されたキーの数（pgのログ）'), {
      hint: 2,
    }).toBe(early)
  },
)
// #endregion half
