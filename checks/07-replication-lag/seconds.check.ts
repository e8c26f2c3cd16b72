import { ahead, beforeAll, eventually, expect, say, test, when, type StartedRole } from '#harness'
import {
  expectNoSeconds,
  lagSeconds,
  samplesLater,
  untilBehind,
  untilQuiet,
} from '../../labs/07-replication-lag/tests/lag.ts'
import { sharedShop, type SharedShop } from '../../labs/07-replication-lag/tests/shared.ts'
import { behind, lagOf, newId } from '../../labs/07-replication-lag/tests/shop.ts'

let shop: SharedShop
let server: StartedRole

beforeAll(async () => {
  shop = await sharedShop()
  server = await shop.lend('server-a')
  await shop.calm()
  // The next step needs it: it starts while this one waits.
  void ahead(() => shop.lend('server-c'))
})

const grows = (above: number, by = server) => untilBehind(by, shop.replica1, above)

test(say('the link is cut: received is replayed', '回線が切れる：受信と再生は同じ位置'), async () => {
  const { primary, replica1, replica2 } = shop
  const wire = await shop.wire(replica1)
  await shop.caughtUp()
  wire.cut()
  await shop.row(newId())
  await primary.caughtUp([replica2])
  await eventually(
    say('received = replayed on replica-1', 'replica-1で受信位置=再生位置'),
    async () =>
      (await replica1.sql('SELECT pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AS same'))[0]?.same,
    true,
  )
  when(
    'replication to replica-1 is cut, and one row is written; on the replica received = replayed',
    'replica-1へのレプリケーションを切り、1行書き込む。レプリカでは受信位置=再生位置',
  )
  const seconds = await grows(0.05)
  await grows(seconds + 0.05)
  const { replayLagBytes } = await lagOf(server, replica1)
  expect(replayLagBytes, say('replayLagBytes of replica-1', 'replica-1のreplayLagBytes')).toBeGreaterThan(0)
  await wire.open()
  await shop.caughtUp()
  when('the link is open again', '回線が戻る')
  await expectNoSeconds(server, replica1)
})

test(say('paused, and nothing to replay', '止まっているが、再生するものがない'), async () => {
  const { replica1 } = shop
  when('replay is paused on replica-1, and nobody writes', 'replica-1の再生を止める。書き込みはない')
  await eventually(
    say(
      'lagSeconds of replica-1: 0 with 0 bytes missing; else no more than the time since the pause',
      'replica-1のlagSeconds：欠けが0バイトなら0、そうでなければ止めてからの時間以下',
    ),
    async () => {
      await shop.resume()
      await untilQuiet(replica1, 0.1)
      const paused = performance.now()
      await replica1.pauseReplay()
      const { lagSeconds: seconds } = await lagOf(server, replica1)
      const sincePause = (performance.now() - paused) / 1000
      // Replay stands still: what is not missing now was not missing then.
      return { lagSeconds: seconds, missing: await behind(shop, replica1), sincePause }
    },
    // A server writes a record on its own every few seconds, and a heartbeat all the time: then it is not idle.
    ({ lagSeconds: seconds, missing, sincePause }) =>
      typeof seconds === 'number' && (missing === 0 ? seconds === 0 : seconds <= sincePause + 0.1),
  )
})

test(say('a replica that was away', 'しばらくいなかったレプリカ'), async () => {
  const { primary, replica1, replica2 } = shop
  const wire = await shop.wire(replica1)
  await shop.caughtUp()
  await shop.shortRecovery()
  wire.cut()
  await shop.row(newId())
  const before = await grows(0.3)
  const seen = performance.now()
  await replica1.kill()
  await eventually(
    say('up false for replica-1', 'replica-1がup false'),
    async () => (await lagOf(server, replica1)).up,
    false,
  )
  await shop.row(newId())
  await primary.caughtUp([replica2])
  await samplesLater(server, 2)
  await replica1.start()
  when(
    'the link to replica-1 is cut, a row is written; replica-1 is killed, another row is written, replica-1 is started',
    'replica-1への回線を切って1行書き込む。replica-1を強制終了し、もう1行書き込み、起動し直す',
  )
  await eventually(
    say('up true for replica-1', 'replica-1がup true'),
    async () => (await lagOf(server, replica1)).up,
    true,
  )
  const asked = performance.now()
  expect(
    await lagSeconds(server, replica1),
    say('lagSeconds of replica-1, from the first row on', '最初の行から数えたreplica-1のlagSeconds'),
  ).toBeGreaterThan(before + (asked - seen) / 1000 - 0.2)
  await wire.open()
  await shop.caughtUp()
  await expectNoSeconds(server, replica1)
})

test(say('counted from the first missing row', '最初に欠けた行から数える'), async () => {
  const { replica1 } = shop
  await shop.caughtUp()
  const first = performance.now()
  await shop.pause(replica1)
  await shop.row(newId())
  // A server that begins now has not seen when that row was written.
  const [newcomer] = await Promise.all([shop.fresh('server-b'), grows(0.25)])
  await shop.row(newId())
  const second = performance.now()
  when(
    'replica-1 stands still; two rows are written, the second 0.25 s after the first',
    'replica-1を止め、0.25秒空けて2行書き込む',
  )
  const asked = performance.now()
  const seconds = await lagSeconds(server, replica1)
  expect(seconds, say('lagSeconds of replica-1', 'replica-1のlagSeconds')).toBeGreaterThan(
    (asked - second) / 1000 + 0.05,
  )
  expect(seconds, say('lagSeconds of replica-1', 'replica-1のlagSeconds')).toBeLessThanOrEqual(
    (performance.now() - first) / 1000 + 0.25,
  )

  when(
    'server-b was started while replica-1 stood still, and it still does',
    'replica-1が止まっている間にserver-bを起動した。replica-1はまだ止まっている',
  )
  await grows((await grows(0, newcomer)) + 0.05, newcomer)
  await shop.resume()
  for (const one of [server, newcomer]) await expectNoSeconds(one, replica1)
})
