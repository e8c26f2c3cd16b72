import { beforeAll, expect, say, test, when } from '#harness'
import { sharedShop, type SharedShop } from './shared.ts'
import { mark, type Gateway } from './shop.ts'

let shop: SharedShop
let gateway: Gateway

beforeAll(async () => {
  shop = await sharedShop()
  gateway = await shop.lend('gateway-1')
})

// #region reads
test(say('reads are spread over the replicas', '読み取りはレプリカに分散される'), async () => {
  const m = mark()
  when('60 reads of accounts, one after another', 'accountsの読み取りを60回、順に送る')
  for (let i = 0; i < 60; i++) {
    const id = (i % 50) + 1
    expect(await gateway.query(`SELECT owner FROM accounts WHERE id = $1 ${m}`, [id])).toAnswer(200, {
      rows: [{ owner: `owner-${id}` }],
      rowCount: 1,
    })
  }
  const seen = await shop.executed(m)
  expect(seen, say('executed by each node', '各ノードが実行した数')).toMatchObject({
    primary: 0,
    analytics: 0,
  })
  for (const replica of ['replica-1', 'replica-2'] as const) {
    expect(seen[replica], say(`executed by ${replica}`, `${replica}が実行した数`), {
      hint: 2,
    }).toBeGreaterThanOrEqual(12)
  }
})
// #endregion reads

test(say('writes go to the primary, once', '書き込みはプライマリへ一度だけ送られる'), async () => {
  const writes: [sql: string, params: unknown[], after: unknown][] = [
    ['INSERT INTO accounts VALUES ($1, $2, $3)', [100, 'carol', 7], { owner: 'carol', balance: 7 }],
    ['UPDATE accounts SET balance = balance + $2 WHERE id = $1', [100, 5], { owner: 'carol', balance: 12 }],
    ['DELETE FROM accounts WHERE id = $1', [100], undefined],
  ]
  for (const [sql, params, after] of writes) {
    const m = mark()
    when(sql, sql)
    expect(await gateway.query(`${sql} ${m}`, params)).toAnswer(200, { rowCount: 1, node: 'primary' })
    expect(await shop.executed(m), say('executed by each node', '各ノードが実行した数')).toEqual({
      primary: 1,
      'replica-1': 0,
      'replica-2': 0,
      analytics: 0,
    })
    const [row] = await shop.db.sql('SELECT owner, balance FROM accounts WHERE id = 100')
    expect(row, say('the row, by SQL at the primary', 'プライマリにSQLで聞いた行')).toEqual(after)
  }
})

test(say('the nodes are listed', 'ノードの一覧が得られる'), async () => {
  when('GET /nodes', 'GET /nodes')
  const answer = await gateway.role.get('/nodes')
  expect(answer).toAnswer(200)
  const listed = [answer.body].flat().map((node) => `${node?.name} ${node?.role}`)
  expect(listed.toSorted(), say('names and roles', '名前と役割')).toEqual([
    'analytics analytics',
    'primary primary',
    'replica-1 replica',
    'replica-2 replica',
  ])
})
