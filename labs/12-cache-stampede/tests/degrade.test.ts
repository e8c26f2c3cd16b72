import { beforeAll, eventually, expect, say, test, when } from '#harness'
import { limitedServers, MAX, QUEUE } from './fleets.ts'
import { cacheOf, herd, hold, tally, waiting, type Front } from './front.ts'

let front: Front

beforeAll(async () => {
  front = await limitedServers()
})

test(
  say('Redis is gone: some are refused, nobody waits for ever', 'Redisが落ちても、待ち続ける人はいない'),
  async () => {
    const keys = await front.rows(50)
    when('Redis is killed (SIGKILL)', 'Redisを強制終了（SIGKILL）する')
    await front.redis.kill()
    const lock = await hold(front)
    when(
      'the table is locked, and 50 different keys are read at each of four servers',
      'テーブルをロックし、4台のサーバーでそれぞれ50個のキーを読む',
    )
    const readers = herd(front, 200, (i) => keys[Math.floor(i / 4)]!)
    const refusals = 4 * (50 - MAX - QUEUE)
    await eventually(
      say(
        `503 for at least ${refusals} of 200 while Postgres can do nothing`,
        `Postgresが何もできない間に、200件中${refusals}件以上が503`,
      ),
      () => readers.answered.filter(({ status }) => status === 503).length,
      (refused) => refused >= refusals,
      { within: 10_000, hint: 2 },
    )
    const refused = readers.answered.filter(({ status }) => status === 503)
    for (const answer of refused) {
      expect(answer).toAnswer(503, { error: 'overloaded' })
      expect(Number(answer.headers['retry-after']), say('Retry-After', 'Retry-After')).toBeGreaterThanOrEqual(
        1,
      )
    }
    for (const [i, server] of front.servers.entries()) {
      await waiting(front, i)
      const active = await front.db.activity({ application: `s${i}`, waiting: true })
      const label = say(`statements of s${i} in Postgres`, `Postgresで実行中のs${i}のSQL文`)
      expect(active.length, label).toBeLessThanOrEqual(MAX)
      expect(await server.get('/health'), say(`/health of s${i}`, `s${i}の/health`)).toAnswer(200)
    }

    when('the lock on the table is released', 'テーブルのロックを外す')
    await lock.release()
    const statuses = tally(await readers.done)
    expect(statuses[200], say('answers with 200', '200の応答')).toBe(200 - (statuses[503] ?? 0))

    when('Redis is started again, empty', 'Redisを空の状態で起動し直す')
    await front.redis.start()
    for (const i of front.servers.keys())
      await eventually(
        say(`a hit at s${i}`, `s${i}でのhit`),
        async () => cacheOf(await front.get(i, keys[i]!)),
        'hit',
        { every: 20 },
      )
  },
)
