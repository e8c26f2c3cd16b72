import { beforeAll, burst, expect, say, test, when } from '#harness'
import { bothReplicas, sharedShop, type SharedShop } from './shared.ts'
import { lockEverywhere, mark, waiting, type Gateway, type Name } from './shop.ts'

let shop: SharedShop
let gateway: Gateway

beforeAll(async () => {
  shop = await sharedShop()
  gateway = await shop.lend('gateway')
})

/** Where a read was executed. */
async function placeOf(sql: string, more?: object): Promise<Name[]> {
  const m = mark()
  expect(await gateway.query(`${sql} ${m}`, undefined, more)).toAnswer(200)
  return Object.entries(await shop.executed(m)).flatMap(([name, times]) =>
    Array<Name>(times).fill(name as Name),
  )
}

const at = say('executed by', '実行したノード')

// #region rules
test(say('tables have their places', 'テーブルには行き先がある'), async () => {
  when('a read of audit_log, whose rule says primary', 'ルールがprimaryのaudit_logを読む')
  expect(await placeOf('SELECT count(*)::int FROM audit_log'), at, { hint: 2 }).toEqual(['primary'])
  when('a read of page_views, whose rule says analytics', 'ルールがanalyticsのpage_viewsを読む')
  expect(await placeOf('SELECT count(*)::int FROM page_views'), at, { hint: 2 }).toEqual(['analytics'])
  when('a read of accounts with workload "analytics"', 'workload "analytics"でaccountsを読む')
  const busy = await placeOf('SELECT sum(balance)::int FROM accounts', { workload: 'analytics' })
  expect(busy, at, { hint: 2 }).toEqual(['analytics'])
  when('ten reads of accounts, which no rule names', 'ルールにないaccountsを10回読む')
  const places = await Promise.all(
    Array.from({ length: 10 }, () => placeOf('SELECT owner FROM accounts WHERE id = 1')),
  )
  for (const place of places.flat()) expect(place, at).toMatch(/^replica-[12]$/)
})
// #endregion rules

test(say('each node has a pool of its own size', 'プールの大きさはノードごとに決まる'), async () => {
  const read = 'SELECT count(*)::int FROM accounts'
  // Whatever a gateway wants to know of a new text, it has asked before the lock is there.
  expect(await gateway.query(read)).toAnswer(200)
  await bothReplicas(gateway)
  const lock = await lockEverywhere(shop, 'accounts')
  when('accounts is locked, and 30 reads of it come', 'accountsをロックし、その読み取りを30件送る')
  const reads = burst(30, () => gateway.query(read))
  await Promise.all([waiting(gateway, 'replica-1', 4, 1), waiting(gateway, 'replica-2', 4, 1)])
  when('a write to another table, meanwhile', 'その間に別のテーブルへ書く')
  expect(await gateway.query("INSERT INTO audit_log (note) VALUES ('meanwhile')"), undefined, {
    hint: 1,
  }).toAnswer(200)
  when('ten strong reads of accounts', 'accountsをstrongで10回読む')
  const strong = burst(10, () => gateway.query(read, [], { consistency: 'strong' }))
  await waiting(gateway, 'primary', 3, 1)
  const connections = await Promise.all(
    (['replica-1', 'replica-2', 'primary'] as const).map((n) => gateway.backends(n)),
  )
  expect(
    connections,
    say('connections to replica-1, replica-2 and primary', 'replica-1、replica-2、primaryへの接続数'),
  ).toEqual([4, 4, 3])
  when('the lock is released', 'ロックを放す')
  await lock.release()
  for (const answer of [...(await reads.done), ...(await strong.done)]) expect(answer).toAnswer(200)
})
