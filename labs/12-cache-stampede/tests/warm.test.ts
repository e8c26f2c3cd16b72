import { arrayContaining, beforeAll, expect, say, test, when } from '#harness'
import { fourServers } from './fleets.ts'
import { STATEMENTS, tally, type Front } from './front.ts'
import { FIELDS, popularRows, warm, writes } from './warmer.ts'

let front: Front

beforeAll(async () => {
  front = await fourServers()
})

test(
  say('thirty popular rows, in three batches with a pause', '人気の30行を、休みを挟んで3回に分けて'),
  async () => {
    const { popular, others } = await popularRows(front, 30, 10)
    const monitor = await front.redis.monitor()
    when(
      'warm runs with WARM_LIMIT=30, WARM_BATCH=10, WARM_PAUSE_MS=100; 30 of 40 rows were read more than 1,000 times',
      'WARM_LIMIT=30、WARM_BATCH=10、WARM_PAUSE_MS=100でwarmを実行する。40行のうち30行が1,000回より多く読まれている',
    )
    const run = await warm(front)
    expect(run.code, say('exit status', '終了コード')).toBe(0)
    expect(run.report, say('last line of its output', '出力の最後の行')).toMatchObject({
      warmed: 30,
      batches: 3,
    })

    const written = writes(await monitor.commands())
    expect([...written.keys()].toSorted(), say('keys written', '書き込まれたキー')).toEqual(
      popular.toSorted(),
    )
    const times = [...written.values()].map(({ at }) => at).toSorted((a, b) => a - b)
    for (const [first, next] of [
      [0, 10],
      [10, 20],
    ] as const) {
      const pause = times[next]! - times[first]!
      const label = say(
        `ms between the writing of entry ${first + 1} and entry ${next + 1}, by Redis's clock`,
        `${first + 1}個目と${next + 1}個目の書き込みの間隔（Redisの時計、ミリ秒）`,
      )
      expect(pause, label, { hint: 2 }).toBeGreaterThanOrEqual(50)
    }

    const entries = await Promise.all(popular.map((key) => front.redis.client.hgetall(`entry:${key}`)))
    for (const entry of entries)
      expect(Object.keys(entry), say('fields of an entry', 'エントリーのフィールド')).toEqual(
        arrayContaining(FIELDS),
      )
    const ends = entries.map(({ freshUntil }) => Number(freshUntil))
    expect(
      Math.max(...ends) - Math.min(...ends),
      say('ms between the first and the last end of fresh life', '最初と最後の鮮度切れの間隔（ミリ秒）'),
      { hint: 2 },
    ).toBeGreaterThanOrEqual(60_000 * 0.05)

    when('each of the 30 is read at s0', '30個をそれぞれs0で読む')
    const answers = await Promise.all(popular.map((key) => front.get(0, key)))
    expect(tally(answers)).toEqual({ 200: 30 })
    const counts = await front.counts([...popular, ...others])
    expect(
      counts.reduce((sum, n) => sum + n, 0),
      STATEMENTS,
    ).toBe(0)
  },
)
