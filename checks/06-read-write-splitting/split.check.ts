import { ahead, beforeAll, eventually, expect, say, test, when, type Answer } from '#harness'
import { sharedShop, type SharedShop } from '../../labs/06-read-write-splitting/tests/shared.ts'
import {
  inParallel,
  lockEverywhere,
  mark,
  NAMES,
  onReplicas,
  total,
  type Gateway,
} from '../../labs/06-read-write-splitting/tests/shop.ts'

let shop: SharedShop
let gateway: Gateway
let patient: Promise<Gateway>

beforeAll(async () => {
  shop = await sharedShop()
  gateway = await shop.lend('gateway-1')
  patient = ahead(() => shop.gateway({ READ_BALANCE: 'least-loaded' }, 'gateway-2'))
})

test(say('reads and writes, ten at a time', '読み書きを10件ずつ並行に送る'), async ({ random }) => {
  const deposits = Array.from({ length: 51 }, () => 0)
  const statements = Array.from({ length: 80 }, () => {
    const m = mark()
    const id = random.int(1, 50)
    if (random.next() < 0.7)
      return { m, write: false, sql: `SELECT owner FROM accounts WHERE id = $1 ${m}`, params: [id] }
    const amount = random.int(1, 9)
    deposits[id]! += amount
    return {
      m,
      write: true,
      sql: `UPDATE accounts SET balance = balance + $2 WHERE id = $1 ${m}`,
      params: [id, amount],
    }
  })
  when('80 statements, 70 % of them reads, ten at a time', '80個の文（7割が読み取り）を、10件ずつ並行に送る')
  const balances = async (): Promise<number[]> =>
    (await shop.db.sql('SELECT balance FROM accounts WHERE id <= 50 ORDER BY id')).map((row) =>
      Number(row.balance),
    )
  const before = await balances()
  const answers = await inParallel(statements, 10, ({ sql, params }) => gateway.query(sql, params))
  const counts = await shop.executions()
  for (const [i, { m, write, sql }] of statements.entries()) {
    const answer = answers[i]!
    expect(answer).toAnswer(200, { rowCount: 1 })
    const where = NAMES.filter((name) => counts(m)[name] > 0)
    expect(total(counts(m)), say(`executions of ${sql}`, `${sql}の実行回数`)).toBe(1)
    expect(where[0], say(`where ${sql} was executed`, `${sql}を実行したノード`)).toMatch(
      write ? /^primary$/ : /^replica-/,
    )
    expect(answer.body.node, say('"node" of the answer', '応答の"node"')).toBe(where[0])
  }
  const reads = statements.filter((s) => !s.write)
  for (const replica of ['replica-1', 'replica-2'] as const) {
    const share = reads.filter(({ m }) => counts(m)[replica] > 0).length / reads.length
    expect(
      share,
      say(`share of the reads on ${replica}`, `${replica}が受けた読み取りの割合`),
    ).toBeGreaterThanOrEqual(0.2)
  }
  const after = await balances()
  expect(
    after.map((balance, i) => balance - before[i]!),
    say('what each account gained', '各口座の増分'),
  ).toEqual(deposits.slice(1))
})

test(say('parameters keep their type', 'パラメーターの型が保たれる'), async () => {
  when('text, number, boolean and null as parameters', '文字列・数値・真偽値・nullを渡す')
  const text = `it's "quoted"; DROP TABLE accounts`
  const sql = 'SELECT $1::text AS text, $2::int AS number, $3::boolean AS yes, $4::text AS nothing'
  expect(await gateway.query(sql, [text, 42, true, null])).toAnswer(200, {
    rows: [{ text, number: 42, yes: true, nothing: null }],
  })
})

test(say('a bad body reaches no database', '不正な本文はどのデータベースにも届かない'), async () => {
  const m = mark()
  const sql = `SELECT 1 ${m}`
  const bodies: unknown[] = [
    '{"sql":',
    'null',
    {},
    { sql: '' },
    { sql: 5 },
    { sql, params: { id: 1 } },
    { sql, params: 'x' },
    { sql, workload: 'batch' },
  ]
  for (const body of bodies) {
    const shown = typeof body === 'string' ? body : JSON.stringify(body)
    when(`POST /query with ${shown}`, `POST /queryに${shown}を送る`)
    const options = typeof body === 'string' ? { headers: { 'content-type': 'application/json' } } : {}
    expect(await gateway.role.post('/query', body, options)).toAnswer(400, { error: 'bad_request' })
  }
  expect(total(await shop.executed(m)), say('statements that reached a node', 'ノードに届いた文の数')).toBe(0)
})

test(
  say('least loaded: a silent replica gets nothing more', '黙ったレプリカには、もう送らない'),
  async () => {
    const { query, links } = await patient
    const link = links['replica-1']
    link.blackHole()
    const answers: Promise<Answer>[] = []
    let answered = 0
    for (let i = 0; i < 12; i++) {
      when(
        `read ${i + 1} of 12, READ_BALANCE=least-loaded, replica-1 silent`,
        `READ_BALANCE=least-loaded、replica-1は無応答。12回中${i + 1}回目の読み取り`,
      )
      const held = link.held.request
      const answeredBefore = answered
      answers.push(query('SELECT owner FROM accounts WHERE id = 7').finally(() => answered++))
      await eventually(
        say('an answer, or bytes that stick in the link', '応答が返るか、リンクにバイトが溜まる'),
        () => answered > answeredBefore || link.held.request > held,
      )
    }
    await eventually(
      say('ten of them answered meanwhile', 'その間に10件が応答済み'),
      () => answered,
      (count) => count >= 10,
      { within: 4000 },
    )
    when('the link is open again', 'リンクを元に戻す')
    await link.open()
    for (const answer of await Promise.all(answers)) expect(answer).toAnswer(200)
  },
)

test(say('SIGTERM: what is in flight is answered', 'SIGTERM：処理中のものには答える'), async () => {
  const { query, backends, role } = await patient
  const lock = await lockEverywhere(shop, 'accounts')
  const m = mark()
  const answer = query(`SELECT owner FROM accounts WHERE id = 8 ${m}`)
  await eventually(say('a read that waits on a replica', 'レプリカで待つ読み取り'), async () => {
    const counts = await Promise.all(
      (['replica-1', 'replica-2'] as const).map((n) => backends(n, { waiting: true })),
    )
    return counts[0]! + counts[1]! === 1
  })
  when('SIGTERM while a read waits', '読み取りが待っている間にSIGTERMを送る')
  role.terminate()
  await eventually(
    say('new connections refused', '新しい接続の拒否'),
    async () => (await role.get('/health')).broken?.en,
    'connection refused',
  )
  when('the lock is released', 'ロックを放す')
  await lock.release()
  expect(await answer).toAnswer(200, { rows: [{ owner: 'owner-8' }] })
  expect(await role.exited, say('how it ended', '終わり方')).toMatchObject({ code: 0 })
  expect(onReplicas(await shop.executed(m)), say('executions of the read', '読み取りの実行回数')).toBe(1)
})
