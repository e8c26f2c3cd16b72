import { beforeAll, burst, expect, say, test, when } from '#harness'
import { sharedShop, type SharedShop } from '../../labs/06-read-write-splitting/tests/shared.ts'
import {
  inParallel,
  mark,
  total,
  waiting,
  type Gateway,
} from '../../labs/06-read-write-splitting/tests/shop.ts'

let shop: SharedShop
let gateway: Gateway

beforeAll(async () => {
  shop = await sharedShop()
  gateway = await shop.lend('gateway')
})

const STRONG = { consistency: 'strong' }
const byPrimary = say('executed by the primary', 'プライマリが実行した数')

test(say('strong comes before workload and rules', 'strongはworkloadやルールより先'), async () => {
  for (const [sql, more] of [
    ['SELECT sum(balance) FROM accounts', { ...STRONG, workload: 'analytics' }],
    ['SELECT count(*) FROM page_views', STRONG],
  ] as const) {
    when(`${sql} with ${JSON.stringify(more)}`, `${sql}を${JSON.stringify(more)}で送る`)
    const m = mark()
    expect(await gateway.query(`${sql} ${m}`, [], more)).toAnswer(200, { node: 'primary' })
    const counts = await shop.executed(m)
    expect(
      [counts.primary, total(counts)],
      say('executed by the primary, by all', 'プライマリと全ノードの実行数'),
    ).toEqual([1, 1])
  }
})

test(say('strong reads wait for the primary', 'strongな読み取りはプライマリを待つ'), async () => {
  const lock = await shop.db.hold('SELECT 1 FROM accounts WHERE id = 1 FOR UPDATE', 'row lock on account 1')
  const writes = burst(3, () => gateway.query('UPDATE accounts SET balance = balance + 1 WHERE id = 1'))
  await waiting(gateway, 'primary', 3)
  const m = mark()
  when(
    'the pool of the primary is full, and three strong reads come',
    'プライマリのプールが満杯のところへ、strongな読み取りを3件送る',
  )
  const strong = burst(3, () => gateway.query(`SELECT note FROM updates WHERE id = 1 ${m}`, [], STRONG))
  expect(await gateway.query('SELECT note FROM updates WHERE id = 2')).toAnswer(200)
  expect(
    total(await shop.executed(m)),
    say('strong reads executed meanwhile', 'その間に実行されたstrongな読み取り'),
  ).toBe(0)
  when('the pool has room again', 'プールに空きができる')
  await lock.release()
  for (const answer of [...(await writes.done), ...(await strong.done)])
    expect(answer).toAnswer(200, { node: 'primary' })
  const counts = await shop.executed(m)
  expect(
    [counts.primary, total(counts)],
    say('executed by the primary, by all', 'プライマリと全ノードの実行数'),
  ).toEqual([3, 3])
})

test(say('30 reads, half of them strong', '30回の読み取り、半分はstrong'), async ({ random }) => {
  const reads = random.shuffle(Array.from({ length: 30 }, (_, i) => ({ m: mark(), strong: i % 2 === 0 })))
  when('30 reads in random order, half of them strong', '半分がstrongの読み取り30件を、ランダムな順に送る')
  await inParallel(reads, 5, async ({ m, strong }) => {
    const answer = await gateway.query(`SELECT note FROM updates WHERE id = 3 ${m}`, [], strong ? STRONG : {})
    expect(answer).toAnswer(200, { rowCount: 1 })
  })
  const counts = await shop.executions()
  for (const { m, strong } of reads) expect(counts(m).primary, byPrimary).toBe(strong ? 1 : 0)
  expect(
    reads.reduce((sum, { m }) => sum + total(counts(m)), 0),
    say('executions', '実行回数'),
  ).toBe(30)
})

test(say('a word it does not know', '知らない指定'), async () => {
  when('consistency "STRONG"', 'consistency "STRONG"')
  expect(await gateway.query('SELECT 1', [], { consistency: 'STRONG' })).toAnswer(400, {
    error: 'bad_request',
  })
})
