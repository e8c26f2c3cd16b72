import { ahead, beforeAll, eventually, expect, say, test, when } from '#harness'
import { sharedShop, type SharedShop } from '../../labs/06-read-write-splitting/tests/shared.ts'
import {
  inParallel,
  pauseReplicas,
  resumeReplicas,
  rowsOf,
  type Gateway,
} from '../../labs/06-read-write-splitting/tests/shop.ts'
import { Transaction } from '../../labs/06-read-write-splitting/tests/transaction.ts'

let shop: SharedShop
let gateway: Gateway
let hurried: Promise<Gateway>

beforeAll(async () => {
  shop = await sharedShop()
  gateway = await shop.lend('gateway-1')
  hurried = ahead(() => shop.lend('gateway'))
})

test(say('COMMIT of a failed transaction', '失敗したトランザクションのCOMMIT'), async () => {
  when('a statement fails in a transaction', 'トランザクションの中で文が失敗する')
  const tx = await Transaction.begin(gateway)
  expect(await tx.query("INSERT INTO audit_log (note) VALUES ('failed')")).toAnswer(200)
  expect(await tx.query('SELECT 1/(id-id) FROM accounts WHERE id = 1')).toAnswer(422, { code: '22012' })
  expect(await tx.query('SELECT 1')).toAnswer(422, { error: 'sql', code: '25P02' })
  when('it is committed all the same', 'それでもコミットする')
  expect(await tx.commit(), undefined, { hint: 3 }).toAnswer(409, { error: 'rolled_back' })
  expect(await rowsOf(shop, "audit_log WHERE note = 'failed'"), say('rows', '行数')).toBe(0)
  expect(await tx.query('SELECT 1')).toAnswer(404, { error: 'no_transaction' })
})

test(say('a COMMIT that is refused', '拒まれるCOMMIT'), async () => {
  await shop.db.sql('CREATE TABLE seats (id int UNIQUE DEFERRABLE INITIALLY DEFERRED)')
  await shop.db.sql('GRANT ALL ON seats TO app')
  when(
    'two equal ids where a constraint looks only at COMMIT',
    'COMMITのときに初めて調べられる制約に反して、同じidを2行入れる',
  )
  const tx = await Transaction.begin(gateway)
  expect(await tx.query('INSERT INTO seats VALUES (1), (1)')).toAnswer(200, { rowCount: 2 })
  when('it is committed', 'コミットする')
  const answer = await tx.commit()
  expect(answer, undefined, { hint: 3 }).toAnswer([409, 422])
  expect(await rowsOf(shop, 'seats'), say('rows', '行数')).toBe(0)
  expect(await tx.query('SELECT 1')).toAnswer(404, { error: 'no_transaction' })
})

test(
  say('its own write, whatever replicas have', 'レプリカの状態によらず、自分の書き込みが見える'),
  async () => {
    await pauseReplicas(shop)
    when(
      'replay is paused on every replica; INSERT, then SELECT',
      '全レプリカの再生を止め、INSERTしてからSELECTする',
    )
    const tx = await Transaction.begin(gateway)
    expect(await tx.query("INSERT INTO audit_log (note) VALUES ('own')")).toAnswer(200)
    expect(await tx.query("SELECT note FROM audit_log WHERE note = 'own'")).toAnswer(200, { rowCount: 1 })
    expect(await tx.commit()).toAnswer(200, { committed: true })
    await resumeReplicas(shop)
  },
)

test(say('idle transactions are rolled back', '放置されたトランザクションは取り消される'), async () => {
  const slow = await hurried
  when(
    'PRIMARY_POOL_MAX=3, TX_IDLE_MS=100, three transactions are left idle',
    'PRIMARY_POOL_MAX=3、TX_IDLE_MS=100で、3つのトランザクションを放置する',
  )
  const idle = await Promise.all([1, 2, 3].map(() => Transaction.begin(slow)))
  when('then a write comes', 'そこへ書き込みが来る')
  expect(await slow.query("INSERT INTO audit_log (note) VALUES ('after')"), undefined, { hint: 3 }).toAnswer(
    200,
  )
  await eventually(
    say('no connection idle in transaction', 'idle in transactionの接続がない'),
    async () =>
      (await shop.db.activity({ application: slow.role.name })).filter((b) => b.state.startsWith('idle in'))
        .length,
    0,
    { hint: 3 },
  )
  for (const tx of idle) expect(await tx.query('SELECT 1')).toAnswer(404, { error: 'no_transaction' })
})

test(
  say('two statements at once run one after the other', '同時に来た二つの文は順に実行される'),
  async () => {
    const lock = await shop.db.hold('SELECT 1 FROM accounts WHERE id = 9 FOR UPDATE', 'row lock on account 9')
    const tx = await Transaction.begin(gateway)
    when(
      'two statements for one transaction, the first of which waits for a lock',
      '一つのトランザクションに二つの文を送る。一つ目はロックを待つ',
    )
    const first = tx.query('UPDATE accounts SET balance = 5 WHERE id = 9')
    await lock.waiters(1, gateway.role.name)
    const second = tx.query('SELECT balance FROM accounts WHERE id = 9')
    expect(await gateway.role.get('/health')).toAnswer(200)
    await lock.release()
    expect(await first).toAnswer(200, { rowCount: 1 })
    expect(await second).toAnswer(200, { rows: [{ balance: 5 }] })
    expect(await tx.rollback()).toAnswer(200, { committed: false })
  },
)

test(say('its connection breaks', '接続が切れる'), async () => {
  const tx = await Transaction.begin(gateway)
  const { pid } = (await tx.query('SELECT pg_backend_pid() AS pid')).body.rows[0]
  when('the DBA ends its backend', 'DBAがそのバックエンドを終了させる')
  await shop.db.sql('SELECT pg_terminate_backend($1)', [pid])
  await eventually(say('the backend gone', 'バックエンドの消滅'), async () =>
    (await shop.db.activity()).every((b) => b.pid !== pid),
  )
  expect(await tx.query('SELECT 1'), undefined, { hint: 3 }).toAnswer(503, { error: 'connection_lost' })
  expect(await tx.query('SELECT 1'), undefined, { hint: 3 }).toAnswer(404, { error: 'no_transaction' })
  expect(await gateway.role.get('/health'), undefined, { hint: 3 }).toAnswer(200)
})

test(say('twenty transactions, five at a time', '20のトランザクションを5つずつ'), async ({ random }) => {
  const before = (await shop.db.sql('SELECT balance FROM accounts ORDER BY id')).map((row) =>
    Number(row.balance),
  )
  const transfers = Array.from({ length: 20 }, () => {
    const [from, to] = random.shuffle(Array.from({ length: 50 }, (_, i) => i + 1))
    return { from: from!, to: to!, amount: random.int(1, 20), commit: random.next() < 0.6 }
  })
  when('20 transfers, five at a time, some rolled back', '20件の振替を5つずつ並行に行い、一部を取り消す')
  await inParallel(transfers, 5, async ({ from, to, amount, commit }) => {
    const tx = await Transaction.begin(gateway)
    const moves: [number, number][] = [
      [from, -amount],
      [to, amount],
    ]
    // In the order of the ids: no two of them can wait for each other.
    for (const [id, change] of moves.toSorted((a, b) => a[0] - b[0])) {
      expect(
        await tx.query('UPDATE accounts SET balance = balance + $2 WHERE id = $1', [id, change]),
      ).toAnswer(200)
    }
    expect(commit ? await tx.commit() : await tx.rollback()).toAnswer(200, { committed: commit })
  })
  const expected = [...before]
  for (const { from, to, amount } of transfers.filter((t) => t.commit)) {
    expected[from - 1]! -= amount
    expected[to - 1]! += amount
  }
  const after = (await shop.db.sql('SELECT balance FROM accounts ORDER BY id')).map((row) =>
    Number(row.balance),
  )
  expect(after, say('balances of all accounts', '全口座の残高')).toEqual(expected)
})
