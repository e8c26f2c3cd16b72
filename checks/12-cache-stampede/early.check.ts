import { ahead, beforeAll, eventually, expect, say, test, when } from '#harness'
import { earlyReads, ENTRIES } from '../../labs/12-cache-stampede/tests/coin.ts'
import { fourServers, NEVER_EARLY_AT } from '../../labs/12-cache-stampede/tests/fleets.ts'
import {
  herd,
  hold,
  STATEMENTS,
  tally,
  waiting,
  withMore,
  type Front,
} from '../../labs/12-cache-stampede/tests/front.ts'
import { plant } from '../../labs/12-cache-stampede/tests/planted.ts'

let front: Front

const DELTA = 100_000
/** Where none is expected. */
const FEW = 60
const COUNT = say('answers with X-Cache: early', 'X-Cache: earlyの応答数')

/** At its s4 `XFETCH_BETA` is 2. */
let eager: Promise<Front>

beforeAll(async () => {
  front = await fourServers()
  eager = ahead(() => withMore(front, [{ XFETCH_BETA: 2 }]))
})

test(say('one reader in two', '2人に1人'), async () => {
  when(
    `${ENTRIES} entries have 100 s · ln 2 of fresh life left: one reader in two refreshes`,
    `${ENTRIES}個のエントリーの鮮度が100秒・ln 2だけ残る。更新するのは2人に1人である`,
  )
  const { early } = await earlyReads(front, 0, { deltaMs: DELTA, left: DELTA * Math.log(2) })
  // 200 expected, σ 10.
  expect(early, COUNT, { hint: 3 }).toBeGreaterThanOrEqual(140)
  expect(early, COUNT, { hint: 3 }).toBeLessThanOrEqual(260)
})

test(say('never at twenty computations from the end', '計算20回分が残っていれば、更新しない'), async () => {
  when('entries have 20 × deltaMs left', 'エントリーの鮮度がdeltaMsの20倍残っている')
  expect((await earlyReads(front, 0, { deltaMs: 1000, left: 20_000 + 10_000 }, FEW)).early, COUNT).toBe(0)
})

test(say('XFETCH_BETA is how eager it is', 'XFETCH_BETAは積極さを表す'), async () => {
  when('XFETCH_BETA is 0, and the end is near', 'XFETCH_BETAが0で、終わりが近い')
  expect((await earlyReads(front, NEVER_EARLY_AT, { deltaMs: DELTA, left: 30_000 }, FEW)).early, COUNT).toBe(
    0,
  )
  when('XFETCH_BETA is 2, and 2 · 100 s · ln 2 are left', 'XFETCH_BETAが2で、2・100秒・ln 2だけ残っている')
  const { early } = await earlyReads(await eager, 4, { deltaMs: DELTA, left: 2 * DELTA * Math.log(2) })
  expect(early, COUNT).toBeGreaterThanOrEqual(140)
  expect(early, COUNT).toBeLessThanOrEqual(260)
})

test(say('an entry says how long it took', 'エントリーは、計算にかかった時間を覚えている'), async () => {
  const key = await front.row()
  when('every answer of Postgres takes 100 ms more', 'Postgresの応答をすべて100ミリ秒遅らせる')
  front.toPostgres[0]!.delay(100, { directions: 'reply' })
  expect(await front.get(0, key)).toAnswer(200)
  front.toPostgres[0]!.delay(0)
  const entry = await front.redis.client.hgetall(`entry:${key}`)
  expect(Number(entry.deltaMs), say('deltaMs of the entry', 'エントリーのdeltaMs')).toBeGreaterThanOrEqual(80)
})

test(say('a hundred early readers, one statement', '100人が早めの更新を引いても、SQLは1回'), async () => {
  const key = await front.row()
  // Nearly every coin says yes.
  await plant(front, key, { deltaMs: 10_000_000, left: 50_000, version: 0 })
  when(
    '100 clients read a key whose every reader wants to refresh it',
    '誰が読んでも更新したくなるキーを、100個のクライアントが読む',
  )
  const lock = await hold(front)
  const readers = herd(front, 100, () => key, { servers: [0] })
  await Promise.all([waiting(front, 0), readers.begun])
  await lock.release()
  expect(tally(await readers.done)).toEqual({ 200: 100 })
  await eventually(
    say('the new value at s0', 's0での新しい値'),
    async () => (await front.get(0, key)).body?.value,
    'v1',
    { every: 20 },
  )
  expect(await front.statements(key), STATEMENTS).toBe(1)
})
