import { beforeAll, closedPort, eventually, expect, say, test, when } from '#harness'
import { fourServers } from '../../labs/12-cache-stampede/tests/fleets.ts'
import type { Front } from '../../labs/12-cache-stampede/tests/front.ts'
import { plant } from '../../labs/12-cache-stampede/tests/planted.ts'
import { ended, popularRows, startWarm, warm, writes } from '../../labs/12-cache-stampede/tests/warmer.ts'

let front: Front

const STATUS = say('exit status', '終了コード')
const REPORT = say('last line of its output', '出力の最後の行')
const entriesOf = (keys: string[]): string[] => keys.map((key) => `entry:${key}`)
const lock = (): Promise<string | null> => front.redis.client.get('lock:warm')

beforeAll(async () => {
  front = await fourServers()
})

test(say('two warmers at once, and one more', '同時に二つ、そのあともう一つ'), async () => {
  const { popular } = await popularRows(front, 30)
  const newer = popular[7]!
  await plant(front, newer, { value: 'newer', version: 1_000_000_000, left: -1 })
  const monitor = await front.redis.monitor()
  when('two warmers run at the same time', '二つのwarmが同時に動く')
  const since = await front.db.server.marker()
  const started = await Promise.all([startWarm(front), startWarm(front)])
  const runs = await Promise.all(started.map(ended))
  for (const run of runs) expect(run.code, STATUS).toBe(0)
  const written = writes(await monitor.commands())
  const others = popular.filter((key) => key !== newer)
  expect(
    others.map((key) => written.get(key)?.times ?? 0),
    say('times each key was written', '各キーが書き込まれた回数'),
  ).toEqual(others.map(() => 1))
  expect(
    JSON.parse((await front.redis.client.hget(`entry:${newer}`, 'value')) ?? 'null'),
    say('an entry with a larger version', 'バージョンのより大きいエントリー'),
    { hint: 3 },
  ).toBe('newer')
  const log = await front.db.server.statements({ database: front.db.name, text: /\bdata\b/i }, since)
  expect(log.length, say('statements of both', '二つが送ったSQL文の数')).toBeLessThanOrEqual(4)
  expect(await lock(), say('lock:warm afterwards', 'そのあとのlock:warm')).toBeNull()

  await plant(front, newer, { value: 'newer', version: 1_000_000_000 })
  when('another one runs: all 30 entries are fresh', 'もう一つ動かす。30個とも新鮮である')
  const again = await warm(front)
  expect(again.code, STATUS).toBe(0)
  expect(again.report, REPORT).toMatchObject({ warmed: 0, skipped: 30 })
})

test(say('a warmer is killed in the middle', '途中で強制終了される'), async () => {
  const { popular } = await popularRows(front, 30)
  when('warm is killed (SIGKILL) after its first batch', '最初のバッチのあとでwarmを強制終了（SIGKILL）する')
  const dying = await startWarm(front, { LOCK_TTL_MS: 500, WARM_PAUSE_MS: 1000 })
  const stored = () => front.redis.client.exists(...entriesOf(popular))
  const entries = say('entries in Redis', 'Redisのエントリー数')
  // Both in one look: the lock lives no longer than 500 ms.
  const [, held] = await eventually(
    say('an entry of the first batch in Redis', 'Redisにある最初のバッチのエントリー'),
    async () => {
      const seen = await front.redis.client
        .multi()
        .exists(...entriesOf(popular))
        .get('lock:warm')
        .exec()
      return seen!.map(([, reply]) => reply)
    },
    ([count]) => Number(count) > 0,
  )
  expect(held, say('lock:warm, in the first pause', '最初の休みの間のlock:warm')).not.toBeNull()
  await dying.kill()
  expect(await stored(), entries).toBeLessThan(30)
  await eventually(say('lock:warm ends by itself', 'lock:warmが自然に切れる'), lock, null, {
    within: 5000,
    hint: 2,
  })
  when('the next one runs', '次のwarmを動かす')
  const next = await warm(front)
  expect(next.code, STATUS).toBe(0)
  expect(await stored(), entries).toBe(30)
})

test(say('without Postgres there is nothing to warm', 'Postgresがなければ温められない'), async () => {
  const nowhere = `postgres://app@127.0.0.1:${await closedPort()}/none`
  const noRedis = `redis://127.0.0.1:${await closedPort()}`
  const runs = [
    warm(front, { DATABASE_URL: nowhere }),
    warm(front, { REDIS_URL: noRedis, REDIS_TIMEOUT_MS: 300 }),
  ] as const
  when('Postgres cannot be reached', 'Postgresに接続できない')
  expect((await runs[0]).code, STATUS).toBe(1)
  when('Redis cannot be reached', 'Redisに接続できない')
  expect((await runs[1]).code, STATUS).toBe(1)
})
