import {
  beforeAll,
  eventually,
  expect,
  say,
  test,
  when,
  type StartedPostgres,
  type StartedRole,
} from '#harness'
import { untilBehind } from '../../labs/07-replication-lag/tests/lag.ts'
import { sharedShop, type SharedShop } from '../../labs/07-replication-lag/tests/shared.ts'
import { lagOf, newId, order, read, report, tokenOf } from '../../labs/07-replication-lag/tests/shop.ts'

let shop: SharedShop
let server: StartedRole
/** Does not wait long for replicas that stand still. */
let hasty: StartedRole
const id = newId()

beforeAll(async () => {
  shop = await sharedShop()
  ;[server, hasty] = await Promise.all([shop.lend('server-c'), shop.lend('server-a')])
  await shop.row(id)
  await shop.calm()
})

async function fallBehind(...replicas: StartedPostgres[]): Promise<void> {
  await shop.pause(...replicas)
  await shop.row(newId())
  for (const replica of replicas) await untilBehind(server, replica, 0.06)
}

const byPrimary = say('reads by the primary', 'プライマリの読み取り回数')

test(say('no bound, no choice', '条件がなければ選ばない'), async () => {
  await fallBehind(shop.replica1)
  const reads = await shop.counting()
  when(
    'replica-1 is behind; ten reads without X-Max-Lag-Ms',
    'replica-1が遅れている。X-Max-Lag-Msなしで10回読む',
  )
  for (let i = 0; i < 10; i++) expect(await read(server, id)).toAnswer(200, { id })
  const counts = (await reads())(server)
  expect(counts['replica-1'], say('reads by replica-1', 'replica-1の読み取り回数')).toBeGreaterThan(0)
  expect(counts.primary, byPrimary).toBe(0)
})

test(say('a token and a bound', 'トークンと条件'), async () => {
  await fallBehind(shop.replica1)
  const fresh = newId()
  const token = await order(server, fresh)
  await shop.caughtUp(shop.replica2)
  const reads = await shop.counting()
  when(
    'replica-1 is behind; ten reads with a token and X-Max-Lag-Ms: 60000',
    'replica-1が遅れている。トークンとX-Max-Lag-Ms: 60000で10回読む',
  )
  for (let i = 0; i < 10; i++)
    expect(await read(server, fresh, { token, maxLagMs: 60_000 })).toAnswer(200, { id: fresh })
  // A design that looks for the position after the rows asks replica-1 too, and throws its answer away.
  expect((await reads())(server).primary, byPrimary).toBe(0)
})

test(say('what the primary showed stays seen', 'プライマリが見せたものは消えない'), async () => {
  await fallBehind(shop.replica1, shop.replica2)
  const fresh = newId()
  await shop.row(fresh)
  when(
    'both are behind; a new order is read with X-Max-Lag-Ms: 0, then with the token of that answer',
    '両方とも遅れている。新しい注文をX-Max-Lag-Ms: 0で読み、その応答のトークンでもう一度読む',
  )
  const first = await read(hasty, fresh, { maxLagMs: 0 })
  expect(first).toAnswer(200, { id: fresh })
  expect(await read(hasty, fresh, { token: tokenOf(first) })).toAnswer(200, { id: fresh })
})

test(say('nobody is asked again for each read', '読むたびに聞き直さない'), async () => {
  await fallBehind(shop.replica1)
  const before = (await report(server)).samples
  const since = await shop.replica1.marker()
  when(
    'replica-1 is behind; 30 reads with X-Max-Lag-Ms: 50',
    'replica-1が遅れている。X-Max-Lag-Ms: 50で30回読む',
  )
  for (let i = 0; i < 30; i++) expect(await read(server, id, { maxLagMs: 50 })).toAnswer(200, { id })
  const statements = await shop.replica1.statements({ application: server.name }, since)
  const samples = (await report(server)).samples - before
  expect(
    statements.length,
    say(
      `statements on replica-1 during ${samples} samples`,
      `${samples}回のサンプルの間にreplica-1で実行された文`,
    ),
  ).toBeLessThanOrEqual(2 * samples + 4)
})

test(say('what is no bound', '条件にならない値'), async () => {
  for (const maxLagMs of ['abc', '-1']) {
    when(`X-Max-Lag-Ms: ${maxLagMs}`, `X-Max-Lag-Ms: ${maxLagMs}`)
    expect(await read(server, id, { maxLagMs })).toAnswer(400, { error: 'bad_request' })
  }
})

test(say('a dead replica is not fresh', '落ちたレプリカは最新ではない'), async () => {
  await shop.shortRecovery()
  await shop.replica1.kill()
  await eventually(
    say('up false for replica-1', 'replica-1がup false'),
    async () => (await lagOf(server, shop.replica1)).up,
    false,
  )
  when(
    'replica-1 is dead; ten reads with X-Max-Lag-Ms: 1000',
    'replica-1が落ちている。X-Max-Lag-Ms: 1000で10回読む',
  )
  for (let i = 0; i < 10; i++) expect(await read(server, id, { maxLagMs: 1000 })).toAnswer(200, { id })
})
