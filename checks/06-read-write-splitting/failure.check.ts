import { ahead, atEnd, beforeAll, burst, eventually, expect, say, test, when, type Answer } from '#harness'
import { sharedShop, type SharedShop } from '../../labs/06-read-write-splitting/tests/shared.ts'
import {
  backAgain,
  lockEverywhere,
  mark,
  onReplicas,
  shortRecovery,
  total,
  waiting,
  type Gateway,
} from '../../labs/06-read-write-splitting/tests/shop.ts'
import { Transaction } from '../../labs/06-read-write-splitting/tests/transaction.ts'

let shop: SharedShop
let gateway: Gateway
const LIMIT_MS = 450
const EJECT_MS = 200
let sleepy: Promise<Gateway>
/** A statement that runs into its limit while other tests go on. */
let sleeping: Promise<{ m: string; answer: Answer }>
/** Reads beside a silent replica, likewise. */
let silent: { reads: Promise<{ answers: Answer[]; asked: number }> }

beforeAll(async () => {
  shop = await sharedShop()
  const ready = shortRecovery(shop)
  const limited = (name: string): Promise<Gateway> =>
    shop.gateway({ READ_TIMEOUT_MS: LIMIT_MS, WRITE_TIMEOUT_MS: LIMIT_MS, EJECT_MS }, name)
  const [first, lonely] = await Promise.all([
    shop.gateway({ FALLBACK_MAX: 2 }, 'gateway-2'),
    limited('gateway-4'),
    ready,
  ])
  gateway = first
  // It takes its time, and other tests need not wait for that.
  silent = await fallSilent(lonely)
  sleepy = ahead(() => limited('gateway-3'))
})

/**
 * Counts for minutes on replica-1, and nowhere else. It does not sleep: `pg_sleep` is volatile, and some gateways send
 * such functions to the primary. Without the `id` the planner would see how long it is, and think about it at length.
 */
const COUNTS = `SELECT count(*)::int AS n FROM (SELECT generate_series(1,
  CASE WHEN current_setting('cluster_name') = 'replica-1' THEN id * 2000000000 ELSE 1 END) FROM accounts WHERE id = 1) s`

/** Four such reads at once, of which one or more run on replica-1; the others have been answered elsewhere. */
async function fourInFlight(): Promise<{ answers: Promise<Answer[]> }> {
  const replica = shop.node['replica-1'].view(shop.db)
  let answers: Promise<Answer[]> | undefined
  // A replica that was away is left out for a while, and who chooses by chance may pass it over.
  await eventually(
    say('a read in flight on replica-1', 'replica-1で実行中の読み取り'),
    async () => {
      let answered = 0
      let active = 0
      answers = burst(4, () => gateway.query(COUNTS).finally(() => answered++)).done
      await eventually(
        say('four reads, on replica-1 or answered', '4件の読み取りがreplica-1で実行中か、応答済み'),
        async () => {
          const before = answered
          const found = await replica.activity({ application: gateway.role.name, query: 'generate_series' })
          active = found.filter((b) => b.state === 'active').length
          return before + active
        },
        4,
      )
      return active
    },
    (active) => active > 0,
  )
  return { answers: answers! }
}

async function sleep(): Promise<{ m: string; answer: Answer }> {
  const m = mark()
  return { m, answer: await (await sleepy).query(`SELECT pg_sleep(10) ${m}`) }
}

/** Twenty reads, of a table that no other test locks, while replica-1 is silent for this gateway alone. */
async function fallSilent({ query, links }: Gateway): Promise<typeof silent> {
  const link = links['replica-1']
  const read = (): Promise<Answer> => query('SELECT note FROM updates WHERE id = 1')
  // It knows both replicas: connections that stand fall silent, too.
  for (let i = 0; i < 4; i++) await read()
  link.blackHole()
  const before = link.counts
  const reads = ahead(async () => {
    const answers: Answer[] = []
    for (let i = 0; i < 20; i++) answers.push(await read())
    const { requests, connections } = link.since(before)
    await link.open({ reset: true })
    return { answers, asked: requests + connections }
  })
  return { reads }
}

test(say('killed while it reads', '読み取りの途中で落ちる'), async () => {
  const { answers } = await fourInFlight()
  when('replica-1 is killed with reads in flight', '読み取りの途中でreplica-1を強制終了する')
  await shop.node['replica-1'].kill()
  for (const answer of await answers) expect(answer).toAnswer(200)
  await backAgain(shop, 'replica-1')
})

test(say('cancelled by what is replayed', '再生に押し出される'), async () => {
  const replica = shop.node['replica-1']
  const setting = 'max_standby_streaming_delay'
  const reload = async (change: string, wanted: string): Promise<void> => {
    await replica.sql(`ALTER SYSTEM ${change}`)
    await replica.sql('SELECT pg_reload_conf()')
    await eventually(
      say(`${setting} = ${wanted}`, `${setting} = ${wanted}`),
      async () => (await replica.sql(`SHOW ${setting}`))[0]?.[setting],
      wanted,
    )
  }
  atEnd(() => reload(`RESET ${setting}`, '30s'))
  await reload(`SET ${setting} = 0`, '0')
  // The process that replays looks at its settings between two records.
  await shop.db.sql("SELECT pg_logical_emit_message(true, 'flush', '')")
  await shop.node.primary.caughtUp([replica])
  const { answers } = await fourInFlight()
  when(
    'ALTER TABLE is replayed on replica-1, which cancels the reads in flight (40001)',
    'ALTER TABLEがreplica-1で再生され、実行中の読み取りが取り消される（40001）',
  )
  await shop.db.sql('ALTER TABLE accounts ADD COLUMN colour text')
  await shop.node.primary.caughtUp([replica])
  for (const answer of await answers) expect(answer, undefined, { hint: 3 }).toAnswer(200)
})

test(
  say('the caller’s mistake is nobody’s failure', '呼び出し側の誤りは、ノードの故障ではない'),
  async () => {
    sleeping = ahead(sleep)
    for (let i = 0; i < 3; i++) {
      when(
        'a statement comes with one of its two parameters (08P01)',
        '二つのパラメーターの一つが欠けた文が来る（08P01）',
      )
      // With one of them: without any a driver may use the simple protocol, where the error is another.
      const answer = await gateway.query('SELECT owner FROM accounts WHERE id = $1 AND owner = $2', [1])
      expect(answer, undefined, { hint: 3 }).toAnswer(422, { error: 'sql', code: '08P01' })
    }
  },
)

test(say('the primary does not take it all', 'プライマリが全部は引き受けない'), async () => {
  const { links } = gateway
  links['replica-1'].cut()
  links['replica-2'].cut()
  const lock = await lockEverywhere(shop, 'accounts')
  when(
    'FALLBACK_MAX=2, both replicas out of reach, accounts locked, eight reads',
    'FALLBACK_MAX=2。両レプリカに届かず、accountsはロック中。読み取りを8件送る',
  )
  let answered = 0
  const reads = burst(8, () => gateway.query('SELECT count(*)::int FROM accounts').finally(() => answered++))
  await eventually(say('six of eight reads answered', '8件中6件が応答済み'), () => answered, 6, {
    hint: 3,
    within: 4000,
  })
  await waiting(gateway, 'primary', 2, 3)
  when('a write, meanwhile', 'その間の書き込み')
  expect(await gateway.query("INSERT INTO audit_log (note) VALUES ('meanwhile')"), undefined, {
    hint: 3,
  }).toAnswer(200)
  await lock.release()
  const answers = await reads.done
  const refused = answers.filter((a) => a.status === 503)
  expect(answers.filter((a) => a.status === 200).length, say('answers 200', '200の数'), { hint: 3 }).toBe(2)
  expect(refused.length, say('answers 503', '503の数'), { hint: 3 }).toBe(6)
  for (const answer of refused) {
    expect(answer).toAnswer(503, { error: 'database_unavailable' })
    expect(Number(answer.headers['retry-after']), say('Retry-After', 'Retry-After')).toBeGreaterThanOrEqual(1)
  }
  when('a read-only transaction', '読み取り専用のトランザクション')
  const tx = await Transaction.begin(gateway, { readOnly: true })
  expect(tx.node, say('its node', 'そのノード')).toBe('primary')
  expect(await tx.query('DELETE FROM accounts')).toAnswer(422, { code: '25006' })
  expect(await tx.rollback()).toAnswer(200)
  await Promise.all([links['replica-1'].open(), links['replica-2'].open()])
})

test(say('a statement that takes too long', '時間のかかりすぎる文'), async () => {
  when('SELECT pg_sleep(10)', 'SELECT pg_sleep(10)')
  const { m, answer: slept } = await sleeping
  expect(slept).toAnswer(504, { error: 'timeout' })
  // Its limit is 0.45 s and its sleep 10: on a busy machine the one stays far from the other.
  expect(slept.ms, say('milliseconds to the answer', '応答までのミリ秒')).toBeLessThan(5000)
  expect(total(await shop.executed(m)), say('executions over all nodes', '全ノードでの実行回数')).toBe(1)
})

test(say('a silent replica is left out', '黙ったレプリカは外される'), async () => {
  when(
    'the link to replica-1 swallows everything, and 20 reads come',
    'replica-1へのリンクが何も通さなくなり、読み取りが20回来る',
  )
  const { answers, asked } = await silent.reads
  for (const answer of answers) expect(answer).toAnswer(200)
  const took = answers.map(({ ms }) => ms)
  expect(
    asked,
    say('new requests and connections to replica-1', 'replica-1への新しい要求と接続'),
  ).toBeGreaterThanOrEqual(1)
  // In the time that the others took, the node may be tried again every EJECT_MS.
  const waited = took.filter((ms) => ms >= LIMIT_MS - 10)
  const others = took.filter((ms) => ms < LIMIT_MS - 10).reduce((sum, ms) => sum + ms, 0)
  expect(
    waited.length,
    say('reads that waited for replica-1', 'replica-1を待たされた読み取り'),
  ).toBeLessThanOrEqual(4 + Math.floor(others / EJECT_MS))
})

test(say('reads survive the primary', 'プライマリが落ちても読める'), async () => {
  const four = (m: string): Promise<Answer[]> =>
    Promise.all([1, 2, 3, 4].map((id) => gateway.query(`SELECT owner FROM accounts WHERE id = ${id} ${m}`)))
  await eventually(say('four reads from replicas again', '再びレプリカからの読み取り4件'), async () =>
    (await four('')).every(({ body }) => body?.node?.startsWith('replica')),
  )
  when('the primary is out of reach', 'プライマリに届かない')
  gateway.links.primary.cut()
  const m = mark()
  const reads = await four(m)
  for (const answer of reads) expect(answer).toAnswer(200)
  expect(onReplicas(await shop.executed(m)), say('executed by replicas', 'レプリカが実行した数')).toBe(4)
  expect(await gateway.query("INSERT INTO audit_log (note) VALUES ('lost')")).toAnswer(503)
  expect(await gateway.role.get('/health')).toAnswer(200, { status: 'ok' })
})
