import { beforeAll, burst, eventually, expect, say, test, when, type StartedRole } from '#harness'
import { expectBytes, expectNoLag } from '../../labs/07-replication-lag/tests/lag.ts'
import { sharedShop, type SharedShop } from '../../labs/07-replication-lag/tests/shared.ts'
import { lagOf, newId, report } from '../../labs/07-replication-lag/tests/shop.ts'

let shop: SharedShop
let server: StartedRole

beforeAll(async () => {
  shop = await sharedShop()
  server = await shop.lend('server-a')
})

test(say('writes of all sizes', 'さまざまな大きさの書き込み'), async ({ random }) => {
  const { db, replica1, replica2 } = shop
  await shop.pause(replica1)
  for (let round = 0; round < 4; round++) {
    const bytes = random.int(1, 40_000)
    when(
      `replica-1 stands still${round < 2 ? '' : ', replica-2 too'}; ${bytes} bytes are written`,
      `replica-1${round < 2 ? '' : 'とreplica-2'}が止まっている。${bytes}バイト書き込む`,
    )
    if (round === 2) await shop.pause(replica2)
    await db.sql("SELECT pg_logical_emit_message(true, 'test', repeat('x', $1))", [bytes])
    await expectBytes(shop, server, replica1)
    if (round >= 2) await expectBytes(shop, server, replica2)
  }
})

test(say('the same position as the primary says', 'プライマリと同じ位置'), async () => {
  when('nobody writes: GET /replication', '書き込みがない状態でGET /replication')
  await eventually(
    say('primary.lsn as pg_current_wal_lsn() says', 'primary.lsnがpg_current_wal_lsn()と同じ'),
    async () => {
      const said = (await report(server)).primary?.lsn
      const [row] = await shop.primary.sql('SELECT pg_current_wal_lsn()::text AS lsn')
      return said === row?.lsn
    },
    true,
    { within: 3000 },
  )
})

test(say('the link of a replica is cut', 'レプリカへの回線が切れる'), async () => {
  const { primary, replica1, replica2 } = shop
  const wire = await shop.wire(replica1)
  await shop.caughtUp()
  wire.cut()
  await shop.row(newId())
  await primary.caughtUp([replica2])
  when(
    'replication to replica-1 is cut, and one row is written',
    'replica-1へのレプリケーションを切り、1行書き込む',
  )
  await eventually(
    say('receiveLagBytes of replica-1 above 0', 'replica-1のreceiveLagBytesが0より大きい'),
    async () => (await lagOf(server, replica1)).receiveLagBytes,
    (bytes) => typeof bytes === 'number' && bytes > 0,
    { within: 3000 },
  )
  await expectBytes(shop, server, replica1)
  await wire.open()
  await shop.caughtUp()
  await expectNoLag(server, replica1)
})

test(say('twenty ask at once', '20人が同時に聞く'), async () => {
  when('20 GET /replication at once', 'GET /replicationを20件同時に送る')
  for (const answer of await burst(20, () => server.get('/replication')).done) expect(answer).toAnswer(200)
})

test(say('a replica dies and comes back', 'レプリカが落ちて、戻ってくる'), async () => {
  const { primary, replica1, replica2 } = shop
  await shop.shortRecovery()
  await replica2.kill()
  when('replica-2 is killed (SIGKILL)', 'replica-2を強制終了（SIGKILL）する')
  await eventually(
    say('up false and nothing measured for replica-2', 'replica-2がup falseで、測定値がない'),
    async () => {
      const { up, receiveLagBytes, replayLagBytes } = await lagOf(server, replica2)
      return { up, receiveLagBytes, replayLagBytes }
    },
    { up: false, receiveLagBytes: null, replayLagBytes: null },
  )
  await shop.pause(replica1)
  await shop.row(newId())
  await expectBytes(shop, server, replica1)
  await replica2.start()
  await primary.caughtUp([replica2])
  when('replica-2 is started again', 'replica-2を起動し直す')
  await eventually(
    say('up true for replica-2', 'replica-2がup true'),
    async () => (await lagOf(server, replica2)).up,
    true,
  )
})
