import { beforeAll, expect, say, test, when } from '#harness'
import { sharedShop, type SharedShop } from './shared.ts'
import { rowsOf, type Gateway } from './shop.ts'
import { Transaction } from './transaction.ts'

let shop: SharedShop
let gateway: Gateway

beforeAll(async () => {
  shop = await sharedShop()
  gateway = await shop.lend('gateway-1')
})

// #region one-connection
test(say('two transactions, a connection each', '二つのトランザクションに接続が一つずつ'), async () => {
  when('two transactions, five statements in each', '二つのトランザクションで、文を5つずつ送る')
  const both = await Promise.all([Transaction.begin(gateway), Transaction.begin(gateway)])
  const seen = both.map(() => new Set<number>())
  for (let i = 0; i < 5; i++) {
    const answers = await Promise.all(both.map((tx) => tx.query('SELECT pg_backend_pid() AS pid')))
    for (const [n, answer] of answers.entries()) {
      expect(answer).toAnswer(200)
      seen[n]!.add(answer.body.rows[0].pid)
    }
  }
  const backends = say('backends of the first, the second, both', '一つ目、二つ目、両方のバックエンドの数')
  const counts = [...seen, new Set(seen.flatMap((pids) => [...pids]))].map((pids) => pids.size)
  expect(counts, backends, { hint: 2 }).toEqual([1, 1, 2])
  for (const tx of both) expect(await tx.commit()).toAnswer(200, { committed: true })
})
// #endregion one-connection

test(say('visible inside, not outside, until commit', 'コミットまでは中だけに見える'), async () => {
  const note = "audit_log WHERE note = 'inside'"
  const outside = say('rows seen from outside', '外から見える行数')
  when('INSERT in a transaction', 'トランザクションの中でINSERTする')
  const tx = await Transaction.begin(gateway)
  expect(await tx.query('INSERT INTO audit_log (note) VALUES ($1)', ['inside'])).toAnswer(200, {
    rowCount: 1,
  })
  expect(await tx.query(`SELECT count(*)::int AS n FROM ${note}`)).toAnswer(200, { rows: [{ n: 1 }] })
  expect(await rowsOf(shop, note), outside).toBe(0)
  when('commit', 'コミットする')
  expect(await tx.commit()).toAnswer(200, { committed: true })
  expect(await rowsOf(shop, note), outside).toBe(1)
})

test(say('rollback leaves nothing', 'ロールバックは何も残さない'), async () => {
  when('INSERT in a transaction, then rollback', 'トランザクションでINSERTし、ロールバックする')
  const tx = await Transaction.begin(gateway)
  expect(await tx.query("INSERT INTO audit_log (note) VALUES ('undone')")).toAnswer(200)
  expect(await tx.rollback()).toAnswer(200, { committed: false })
  expect(await rowsOf(shop, "audit_log WHERE note = 'undone'"), say('rows', '行数')).toBe(0)
})

test(say('a read-only transaction runs on a replica', '読み取り専用はレプリカで実行される'), async () => {
  when('POST /transactions with readOnly', 'readOnlyを付けてPOST /transactionsを送る')
  const tx = await Transaction.begin(gateway, { readOnly: true })
  const seen = new Set<string>()
  for (let i = 0; i < 3; i++) {
    const answer = await tx.query('SELECT pg_is_in_recovery() AS standby, pg_backend_pid() AS pid')
    expect(answer).toAnswer(200, { rows: [{ standby: true }] })
    seen.add(answer.body.rows[0].pid)
  }
  expect(seen.size, say('backends that served it', '処理したバックエンドの数')).toBe(1)
  when('DELETE in it', 'その中でDELETEする')
  expect(await tx.query('DELETE FROM accounts')).toAnswer(422, { error: 'sql', code: '25006' })
  expect(await tx.rollback()).toAnswer(200, { committed: false })
})

test(say('an unknown id', '知らないid'), async () => {
  for (const path of ['query', 'commit', 'rollback']) {
    when(`POST /transactions/nobody/${path}`, `POST /transactions/nobody/${path}`)
    const answer = await gateway.role.post(`/transactions/nobody/${path}`, { sql: 'SELECT 1' })
    expect(answer).toAnswer(404, { error: 'no_transaction' })
  }
})
