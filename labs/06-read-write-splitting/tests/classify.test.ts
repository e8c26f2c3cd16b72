import { beforeAll, expect, say, test, when } from '#harness'
import { sharedShop, type SharedShop } from './shared.ts'
import { mark, onReplicas, rowsOf, type Gateway } from './shop.ts'

let shop: SharedShop
let gateway: Gateway

beforeAll(async () => {
  shop = await sharedShop()
  gateway = await shop.lend('gateway-1')
})

const balance = async (id: number) =>
  (await shop.db.sql('SELECT balance FROM accounts WHERE id = $1', [id]))[0]?.balance

// #region cte-write
test(say('a WITH that inserts', '挿入するWITH'), async () => {
  when('WITH n AS (INSERT …) SELECT id FROM n', 'WITH n AS (INSERT …) SELECT id FROM n')
  const sql = "WITH n AS (INSERT INTO audit_log (note) VALUES ('cte') RETURNING id) SELECT id FROM n"
  const answer = await gateway.query(sql)
  // A replica has refused it: who is in a position to be certain?
  const hint = answer.body?.code === '25006' ? 2 : 1
  expect(answer, undefined, { hint }).toAnswer(200, { rowCount: 1 })
  expect(
    await rowsOf(shop, "audit_log WHERE note = 'cte'"),
    say('rows on the primary', 'プライマリの行数'),
  ).toBe(1)
})
// #endregion cte-write

test(say('a SELECT that locks', 'ロックするSELECT'), async () => {
  when('SELECT … FOR UPDATE', 'SELECT … FOR UPDATE')
  const answer = await gateway.query('SELECT owner FROM accounts WHERE id = 1 FOR UPDATE')
  expect(answer).toAnswer(200, { rows: [{ owner: 'owner-1' }], node: 'primary' })
})

test(say('a SELECT whose function writes', '関数が書き込むSELECT'), async () => {
  const after = Number(await balance(2)) + 25
  when('SELECT credit($1, $2)', 'SELECT credit($1, $2)')
  expect(await gateway.query('SELECT credit($1, $2) AS balance', [2, 25])).toAnswer(200, {
    rows: [{ balance: after }],
  })
  expect(await balance(2), say('balance of account 2', '口座2の残高')).toBe(after)
})

test(say('writes behind a comment', 'コメントの後ろの書き込み'), async () => {
  await shop.db.sql("INSERT INTO accounts VALUES (104, 'carol', 0)")
  for (const sql of [
    '-- note\nUPDATE accounts SET balance = 1 WHERE id = 3',
    '/* x */ DELETE FROM accounts WHERE id = 104',
  ]) {
    const m = mark()
    when(sql, sql)
    expect(await gateway.query(`${sql} ${m}`)).toAnswer(200, { rowCount: 1 })
    expect(await shop.executed(m), say('executed by each node', '各ノードが実行した数')).toEqual({
      primary: 1,
      'replica-1': 0,
      'replica-2': 0,
      analytics: 0,
    })
  }
})

test(say('reads that look like writes', '書き込みに見える読み取り'), async () => {
  for (const sql of [
    "SELECT 'insert into accounts' AS text",
    'SELECT note FROM updates WHERE id = 1',
    '/* delete */ SELECT owner FROM accounts WHERE id = 5',
    '(SELECT 1 AS one)',
    'VALUES (1)',
  ]) {
    const m = mark()
    when(sql, sql)
    expect(await gateway.query(`${sql} ${m}`)).toAnswer(200, { rowCount: 1 })
    const counts = await shop.executed(m)
    const { primary, analytics } = counts
    expect({ primary, replicas: onReplicas(counts), analytics }, say('executed', '実行した数')).toEqual({
      primary: 0,
      replicas: 1,
      analytics: 0,
    })
  }
})

test(
  say('BEGIN has no place outside a transaction', 'トランザクションの外にBEGINの居場所はない'),
  async () => {
    when('POST /query with BEGIN', 'BEGINをPOST /queryへ送る')
    expect(await gateway.query('BEGIN')).toAnswer(400, { error: 'session_statement' })
  },
)
