import { ahead, beforeAll, burst, eventually, expect, say, test, when } from '#harness'
import { bothReplicas, sharedShop, type SharedShop } from '../../labs/06-read-write-splitting/tests/shared.ts'
import {
  backAgain,
  lockEverywhere,
  mark,
  NAMES,
  shortRecovery,
  waiting,
  type Gateway,
  type Name,
} from '../../labs/06-read-write-splitting/tests/shop.ts'

const POOL = 4
const READ = 'SELECT owner FROM accounts WHERE id = 1'
let shop: SharedShop
let gateway: Gateway
let second: Promise<Gateway>
/** Two rules name the table `updates`, in an order that the seed decides. */
let firstOfTwo: 'primary' | 'analytics'

beforeAll(async ({ random }) => {
  shop = await sharedShop()
  await shortRecovery(shop)
  await shop.db.sql('CREATE TABLE audit_log_old (audit_log int); GRANT ALL ON audit_log_old TO app')
  await shop.node.primary.caughtUp()
  const two = random.shuffle(['primary', 'analytics'] as const)
  firstOfTwo = two[0]!
  const env = {
    PRIMARY_POOL_MAX: 3,
    REPLICA_POOL_MAX: POOL,
    ANALYTICS_MIN_COST: 300,
    ROUTES: JSON.stringify([
      { tables: ['audit_log'], to: 'primary' },
      { tables: ['nothing', 'page_views'], to: 'analytics' },
      ...two.map((to) => ({ tables: ['updates'], to })),
    ]),
  }
  gateway = await shop.gateway(env, 'gateway-2')
  second = ahead(() => shop.lend('gateway'))
})

/** Sends statements and tells where each was executed. */
async function places(statements: readonly string[]): Promise<Name[]> {
  const marked = statements.map((sql) => ({ sql, m: mark() }))
  for (const { sql, m } of marked) {
    when(sql, sql)
    expect(await gateway.query(`${sql} ${m}`)).toAnswer(200)
  }
  const counts = await shop.executions()
  return marked.map(({ sql, m }) => {
    const where = NAMES.filter((name) => counts(m)[name] > 0)
    expect(where.length, say(`nodes that executed ${sql}`, `${sql}を実行したノードの数`)).toBe(1)
    return where[0]!
  })
}

async function allAt(statements: readonly string[], wanted: RegExp): Promise<void> {
  const found = await places(statements)
  for (const [i, sql] of statements.entries()) {
    when(sql, sql)
    expect(found[i], say('executed by', '実行したノード')).toMatch(wanted)
  }
}

test(
  say('a name is a table only where tables stand', '名前がテーブルなのは、テーブルの位置にあるときだけ'),
  async () => {
    await allAt(
      [
        "SELECT 'page_views' AS text",
        'SELECT id AS page_views FROM accounts WHERE id = 1',
        'SELECT page_views.owner FROM accounts page_views WHERE page_views.id = 1',
        'SELECT audit_log FROM audit_log_old',
        'SELECT owner FROM accounts /* FROM page_views */ WHERE id = 1',
      ],
      /^replica-/,
    )
    await allAt(
      [
        'SELECT count(*) FROM public.page_views',
        'SELECT count(*) FROM "page_views"',
        'SELECT count(*) FROM accounts a JOIN Page_Views p ON p.id = a.id',
        'SELECT owner FROM accounts WHERE id IN (SELECT id FROM page_views)',
      ],
      /^analytics$/,
    )
  },
)

test(say('writes and order of rules', '書き込みと、ルールの順番'), async () => {
  await allAt(
    ['DELETE FROM page_views WHERE id = 1', 'UPDATE page_views SET kind = 0 WHERE id = 2'],
    /^primary$/,
  )
  await allAt(['SELECT note FROM updates WHERE id = 1'], new RegExp(`^${firstOfTwo}$`))
})

test(say('the planner knows what it costs', '重さはプランナーが知っている'), async () => {
  const joins = Array.from({ length: 11 }, (_, i) => `JOIN accounts a${i + 1} ON a${i + 1}.id = a0.id`).join(
    ' ',
  )
  await allAt(
    ['SELECT count(*) FROM accounts a, accounts b, accounts c', 'SELECT count(*) FROM readings'],
    /^analytics$/,
  )
  await allAt([`SELECT a0.owner FROM accounts a0 ${joins} WHERE a0.id = 1`], /^replica-/)
})

test(say('new texts use both replicas', '初めての文も両方のレプリカを使う'), async () => {
  const texts = Array.from({ length: 30 }, (_, i) => `SELECT owner, ${i} AS n FROM accounts WHERE id = 1`)
  const found = await places(texts)
  when('30 reads, each with a text of its own', '文字列がすべて異なる読み取りを30回送る')
  const nodes = [...new Set(found)].toSorted()
  expect(nodes, say('nodes that executed them', '実行したノード'), { hint: 3 }).toEqual([
    'replica-1',
    'replica-2',
  ])
})

test(say('analytics out of reach', '分析用レプリカに届かない'), async () => {
  const m = mark()
  when('the link to analytics is cut', 'analyticsへのリンクを切る')
  gateway.links.analytics.cut()
  const answers = await Promise.all(
    [1, 2, 3].map(() => gateway.query(`SELECT count(*) FROM page_views ${m}`)),
  )
  for (const answer of answers) {
    expect(answer).toAnswer(503, { error: 'database_unavailable' })
    expect(answer.ms, say('milliseconds to the answer', '応答までのミリ秒')).toBeLessThan(3000)
  }
  const counts = await shop.executed(m)
  expect(counts, say('executed by each node', '各ノードが実行した数')).toEqual({
    primary: 0,
    'replica-1': 0,
    'replica-2': 0,
    analytics: 0,
  })
  expect(await gateway.query(READ)).toAnswer(200)
  when('the link is open again', 'リンクを元に戻す')
  await gateway.links.analytics.open()
  await eventually(
    say('200 from analytics', 'analyticsからの200'),
    async () => (await gateway.query('SELECT count(*) FROM page_views')).body?.node,
    'analytics',
  )
})

test(
  say('two gateways share a replica’s connections', '2台のゲートウェイがレプリカの接続を分け合う'),
  async () => {
    const other = await second
    // Both know what it costs: a plan waits for the lock as well, and others may wait for that plan.
    for (const one of [gateway, other]) await bothReplicas(one)
    const lock = await lockEverywhere(shop, 'accounts')
    when(
      'accounts is locked, and each of two gateways gets 30 reads',
      'accountsをロックし、2台のゲートウェイに読み取りを30件ずつ送る',
    )
    const reads = burst(60, (i) => (i % 2 ? gateway : other).query(READ))
    for (const one of [gateway, other]) {
      await Promise.all([waiting(one, 'replica-1', POOL), waiting(one, 'replica-2', POOL)])
    }
    const all = await shop.node['replica-1'].view(shop.db).activity()
    // One with larger pools runs since an earlier file.
    const found = all.filter(({ application }) => application !== 'gateway-1')
    expect(found.length, say('connections to replica-1', 'replica-1への接続数')).toBeLessThanOrEqual(2 * POOL)
    await lock.release()
    for (const answer of await reads.done) expect(answer).toAnswer(200)
  },
)

test(say('no connection is left behind', '接続は漏れない'), async () => {
  const link = gateway.links['replica-2']
  const lock = await lockEverywhere(shop, 'accounts')
  const during = burst(30, () => gateway.query(READ))
  await Promise.all([waiting(gateway, 'replica-1', POOL), waiting(gateway, 'replica-2', POOL)])
  when(
    `replica-1 is killed and the link to replica-2 cut, with ${POOL} reads in flight on each`,
    `それぞれで読み取りが${POOL}件ずつ実行中に、replica-1を落とし、replica-2へのリンクを切る`,
  )
  link.cut()
  await shop.node['replica-1'].kill()
  await lock.release()
  await during.done
  when('replica-1 is started and the link is open again', 'replica-1を起動し、リンクを元に戻す')
  await link.open()
  await backAgain(shop, 'replica-1')
  await eventually(
    say(
      '20 reads at once, all 200, from both replicas',
      '同時に20件の読み取りがすべて200で、両方のレプリカから返る',
    ),
    async () => {
      const answers = await burst(20, () => gateway.query(READ)).done
      const nodes = new Set(answers.map((answer) => answer.body?.node))
      const served = nodes.has('replica-1') && nodes.has('replica-2')
      return answers.every(({ status }) => status === 200) && served
    },
    true,
    { hint: 1 },
  )
  for (const name of ['replica-1', 'replica-2'] as const) {
    await eventually(
      say(`at most ${POOL} connections to ${name}`, `${name}への接続が${POOL}以下`),
      () => gateway.backends(name),
      (count) => count <= POOL,
    )
  }
})
