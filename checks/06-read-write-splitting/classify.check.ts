import { beforeAll, expect, say, test, when } from '#harness'
import { sharedShop, type SharedShop } from '../../labs/06-read-write-splitting/tests/shared.ts'
import {
  inParallel,
  mark,
  NAMES,
  onReplicas,
  rowsOf,
  total,
  type Gateway,
} from '../../labs/06-read-write-splitting/tests/shop.ts'
import { generate } from './generate.ts'

let shop: SharedShop
let gateway: Gateway

beforeAll(async () => {
  shop = await sharedShop()
  gateway = await shop.lend('gateway-1')
})

test(say('everything else that writes', 'そのほかの書き込み'), async () => {
  const [account] = await shop.db.sql('SELECT balance FROM accounts WHERE id = 5')
  const writes: [sql: string, effect: string, after: number][] = [
    ["SELECT nextval('tickets')", 'SELECT last_value::int AS n FROM tickets', 1],
    [
      'MERGE INTO accounts a USING (SELECT 5 AS id) s ON a.id = s.id WHEN MATCHED THEN UPDATE SET balance = balance + 11',
      'SELECT balance AS n FROM accounts WHERE id = 5',
      Number(account?.balance) + 11,
    ],
    [
      "DO $$ BEGIN INSERT INTO audit_log (note) VALUES ('do'); END $$",
      "SELECT count(*)::int AS n FROM audit_log WHERE note = 'do'",
      1,
    ],
    ['CREATE TABLE made (id int)', "SELECT count(*)::int AS n FROM pg_class WHERE relname = 'made'", 1],
    ['SELECT id INTO copied FROM accounts', 'SELECT count(*)::int AS n FROM copied', 50],
    [
      "EXPLAIN (ANALYZE) INSERT INTO audit_log (note) VALUES ('explained')",
      "SELECT count(*)::int AS n FROM audit_log WHERE note = 'explained'",
      1,
    ],
    ['TRUNCATE page_views', 'SELECT count(*)::int AS n FROM page_views', 0],
  ]
  for (const [sql, effect, after] of writes) {
    const m = mark()
    when(sql, sql)
    expect(await gateway.query(`${sql} ${m}`)).toAnswer(200)
    expect((await shop.db.sql(effect))[0]?.n, say(`then ${effect}`, `その後の${effect}`)).toBe(after)
    if (!/^(CREATE|TRUNCATE)/.test(sql)) continue
    const where = say('executed by replicas', 'レプリカが実行した数')
    expect(onReplicas(await shop.executed(m)), where).toBe(0)
  }
})

test(say('an advisory lock is the primary’s', 'アドバイザリロックはプライマリのもの'), async () => {
  const lock = await shop.db.hold('SELECT pg_advisory_xact_lock(4711)', 'advisory lock 4711')
  for (let i = 0; i < 3; i++) {
    when(
      'the lock 4711 is held on the primary, and pg_try_advisory_xact_lock(4711) is asked for',
      'プライマリでロック4711を持ったまま、pg_try_advisory_xact_lock(4711)を求める',
    )
    const answer = await gateway.query('SELECT pg_try_advisory_xact_lock($1) AS got', [4711])
    expect(answer, undefined, { hint: 3 }).toAnswer(200, { rows: [{ got: false }] })
  }
  await lock.release()
})

test(say('functions that only read stay on replicas', '読むだけの関数はレプリカへ'), async () => {
  for (const sql of ['SELECT balance_of(6) AS n', 'WITH x AS (SELECT 1 AS n) SELECT n FROM x']) {
    const m = mark()
    when(sql, sql)
    expect(await gateway.query(`${sql} ${m}`)).toAnswer(200, { rowCount: 1 })
    const counts = await shop.executed(m)
    expect(
      [counts.primary, onReplicas(counts)],
      say('executed by the primary, by replicas', 'プライマリとレプリカが実行した数'),
    ).toEqual([0, 1])
  }
})

test(say('40 generated statements', '生成した40個の文'), async ({ random }) => {
  const statements = Array.from({ length: 40 }, (_, i) => {
    const m = mark()
    return { m, ...generate(random, m, i) }
  })
  const balances = async () =>
    (await shop.db.sql('SELECT balance FROM accounts ORDER BY id')).map((r) => Number(r.balance))
  const before = await balances()
  const answers = await inParallel(statements, 4, ({ sql }) => gateway.query(sql))
  const counts = await shop.executions()
  for (const [i, { m, sql, kind, note }] of statements.entries()) {
    when(sql, sql)
    expect(answers[i]).toAnswer(200)
    const { primary } = counts(m)
    const replicas = onReplicas(counts(m))
    const where = say('executed by the primary, by replicas', 'プライマリとレプリカが実行した数')
    if (kind === 'read') expect([primary, replicas], where).toEqual([0, 1])
    else if (kind === 'plain write') expect([primary, replicas], where).toEqual([1, 0])
    else expect(primary, say('executed by the primary', 'プライマリが実行した数')).toBe(1)
    if (note)
      expect(
        await rowsOf(shop, `audit_log WHERE note = '${note}'`),
        say('rows written', '書かれた行数'),
      ).toBe(1)
  }
  const rises = before.map((_, i) => statements.filter(({ account }) => account === i + 1).length)
  expect(await balances(), say('balances', '残高')).toEqual(before.map((balance, i) => balance + rises[i]!))
})

test(say('two statements in one', '二つの文を一つに'), async () => {
  const before = await rowsOf(shop, 'accounts')
  when('SELECT 1; DELETE FROM accounts', 'SELECT 1; DELETE FROM accounts')
  expect(await gateway.query('SELECT 1; DELETE FROM accounts')).toAnswer([400, 422])
  expect(await rowsOf(shop, 'accounts'), say('rows of accounts', 'accountsの行数')).toBe(before)
})

test(say('statements that change the connection', '接続を変える文'), async () => {
  for (const sql of [
    'begin',
    '/* x */ START TRANSACTION',
    '-- x\nSET search_path TO nowhere',
    'RESET ALL',
    'PREPARE p AS SELECT 1',
    'EXECUTE p',
    'LISTEN news',
    'DECLARE c CURSOR WITH HOLD FOR SELECT 1',
    'FETCH c',
    'SAVEPOINT s',
    'COMMIT',
    'DISCARD ALL',
  ]) {
    when(`POST /query with ${sql}`, `POST /queryに${sql}を送る`)
    expect(await gateway.query(sql)).toAnswer(400, { error: 'session_statement' })
  }
  const states = await Promise.all(
    NAMES.map(async (name) =>
      (await shop.node[name].view(shop.db).activity({ application: gateway.role.name })).map((b) => b.state),
    ),
  )
  expect(
    states.flat().filter((state) => state.startsWith('idle in')),
    say('connections of the gateway idle in transaction', 'idle in transactionのままのゲートウェイの接続'),
  ).toEqual([])
})

test(say('a refused write is refused once', '拒まれた書き込みは一度だけ'), async () => {
  const m = mark()
  when('INSERT of an id that is there', 'すでにあるidをINSERTする')
  const answer = await gateway.query(`INSERT INTO updates VALUES (1, 'again') ${m}`)
  expect(answer).toAnswer(422, { error: 'sql', code: '23505' })
  expect(total(await shop.executed(m)), say('executions over all nodes', '全ノードでの実行回数')).toBe(1)
})
