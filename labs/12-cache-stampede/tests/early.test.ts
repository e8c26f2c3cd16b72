import { beforeAll, expect, say, test, when } from '#harness'
import { earlyReads, ENTRIES } from './coin.ts'
import { fourServers } from './fleets.ts'
import type { Front } from './front.ts'

let front: Front

const DELTA = 100_000
const FEW = 20

beforeAll(async () => {
  front = await fourServers()
})

test(
  say('the nearer the end, the more readers refresh', '終わりが近いほど、多くの読み手が更新する'),
  async () => {
    const count = say('answers with X-Cache: early', 'X-Cache: earlyの応答数')
    when(
      `${FEW} entries took 100 s to compute and have 10 s of fresh life left; each is read once`,
      `計算に100秒かかり、鮮度が10秒だけ残るエントリーが${FEW}個ある。それぞれを1回ずつ読む`,
    )
    // Nine readers in ten.
    const near = await earlyReads(front, 0, { deltaMs: DELTA, left: 10_000 }, FEW)
    expect(near.early, count).toBeGreaterThan(0)
    when(
      `${ENTRIES} entries took 100 s to compute and have 100 s · ln 5 of fresh life left: one reader in five refreshes`,
      `計算に100秒かかり、鮮度が100秒・ln 5だけ残るエントリーが${ENTRIES}個ある。更新するのは5人に1人である`,
    )
    const { early, refreshed } = await earlyReads(front, 0, { deltaMs: DELTA, left: DELTA * Math.log(5) })
    // 80 expected, σ 8: six of them either way.
    expect(early, count, { hint: 3 }).toBeGreaterThanOrEqual(30)
    expect(early, count, { hint: 3 }).toBeLessThanOrEqual(130)
    expect(refreshed, say('keys refreshed, by the log of pg', '更新されたキーの数（pgのログ）'), {
      hint: 2,
    }).toBe(early)
  },
)
