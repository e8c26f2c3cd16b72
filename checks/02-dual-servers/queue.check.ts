import { beforeAll, eventually, expect, say, test, when } from '#harness'
import { expectAgreement } from '../../labs/02-dual-servers/tests/agreement.ts'
import { sees } from '../../labs/02-dual-servers/tests/health.ts'
import { lastUseOf } from '../../labs/02-dual-servers/tests/lent.ts'
import { heal, type Pair } from '../../labs/02-dual-servers/tests/pair.ts'
import { arrives, change, drained, pendingOf, valueIn } from '../../labs/02-dual-servers/tests/settings.ts'
import { part, syncs } from './between.ts'
import { briefPair, SELDOM_MS } from './brief.ts'
import { killedWaitingFor } from './crash.ts'
import { expectBadSettingsRefused, expectStrangersRefused } from './refusals.ts'

let pair: Pair

beforeAll(async () => {
  pair = await briefPair()
  lastUseOf('brief', pair)
})

const PENDING = say('totals.pendingSyncs of server-1', 'server-1のtotals.pendingSyncs')

test(say('killed directly after the answer', '応答の直後に強制終了される'), async () => {
  const { server1, server2, db2, to1, to2 } = pair
  for (const link of [to1, to2]) link.blackHole()
  when(
    'nothing passes between the servers; server-1 gets PUT maintenance_mode = true',
    'サーバー間の通信が途絶えた状態で、server-1がPUT maintenance_mode = trueを受けた',
  )
  await change(server1, 'maintenance_mode', true)
  await Promise.all([server1.kill(), server2.kill()])
  when(
    'nothing passes between the servers; server-1 answered 200 to PUT maintenance_mode, then both were killed',
    'サーバー間の通信が途絶えた状態でserver-1がPUT maintenance_modeに200を返し、その直後に両方が強制終了された',
  )
  await heal(pair)
  // It tries again soon from here on, until the hundred changes are sent.
  await Promise.all([server1.start({ PEER_TIMEOUT_MS: 2000, SYNC_RETRY_MS: 30 }), server2.start()])
  await arrives(db2, 'maintenance_mode', true)
})

test(say('the peer answers 5xx', '相手が5xxを返す'), async () => {
  const { server1, db2, to1, to2, toDb2 } = pair
  await drained(pair)
  const before = toDb2.counts
  const first = { to1: to1.requests.length, to2: to2.requests.length }
  toDb2.cut()
  when(
    'server-2 has lost its database; server-1 gets PUT color = "green"',
    'server-2がデータベースを失い、server-1のcolorを"green"に変更した',
  )
  await change(server1, 'color', 'green')
  const tried = () =>
    syncs(to2, first.to2).filter(({ status = 0 }) => status >= 500).length >= 2 || // pushed and refused
    syncs(to1, first.to1).length >= 2 || // pulled
    toDb2.since(before).rejected >= 5 // a server that reads its database before it pulls
  const twice = say('two attempts to deliver', '配達を2回試みる')
  await eventually(twice, async () => tried() || (await pendingOf(server1)) === 0, Boolean, {
    within: 10_000,
  })
  expect(await pendingOf(server1), PENDING).toBe(1)
  await toDb2.open()
  when('the database of server-2 is back', 'server-2のデータベースが戻った')
  await arrives(db2, 'color', 'green')
})

/** Killed in the middle of a change, server-1 starts again with these settings changed. */
function killedInTheMiddle(table: string, env: Record<string, number> = {}): void {
  test(say(`killed while it writes ${table}`, `${table}への書き込み中に強制終了される`), async () => {
    await drained(pair)
    await killedWaitingFor(table, pair, env)
    await drained(pair)
    await expectAgreement(pair)
  })
}

killedInTheMiddle('setting_changes')

test(say('an unnoticed cut', '気づかれない切断'), async () => {
  const { server1, db2, to1, to2 } = pair
  // A server that checks its peer only after the first PEER_CHECK_MS knows nothing yet.
  await sees(server1, 'healthy', 'unknown')
  const before = [to1.counts, to2.counts]
  part(pair)
  when(
    'the links are cut before the next check of the peer; server-1 gets PUT color = "red"',
    '次の確認より前に通信が切れ、server-1のcolorを"red"に変更した',
  )
  await change(server1, 'color', 'red')
  const attempts = () => to1.since(before[0]!).rejected + to2.since(before[1]!).rejected
  await eventually(say('an attempt to deliver', '配達を試みる'), attempts)
  await heal(pair)
  when('the links are whole again', '通信が元に戻った')
  await arrives(db2, 'color', 'red')
})

killedInTheMiddle('global_settings', { SYNC_RETRY_MS: SELDOM_MS })

test(say('values arrive as they are', '値はそのまま届く'), async () => {
  const { server1, db1, db2 } = pair
  const values = [false, 0, '', null, [1, 'two', null], { deep: { list: [{}], 'ключ "': 1.5 } }]
  for (const [i, value] of values.entries()) {
    when(
      `server-1 gets PUT value_${i} = ${JSON.stringify(value)}`,
      `server-1のvalue_${i}を${JSON.stringify(value)}に変更した`,
    )
    await change(server1, `value_${i}`, value)
    for (const db of [db1, db2]) await arrives(db, `value_${i}`, value)
  }
})

test(say('100 changes are delivered in time', '100件の変更が時間内に届く'), async () => {
  const { server1, db2 } = pair
  await drained(pair)
  part(pair)
  when(
    `server-1 gets 100 changes while the links are cut (SYNC_RETRY_MS=${SELDOM_MS})`,
    `通信が切れている間に、server-1が100件の変更を受けた（SYNC_RETRY_MS=${SELDOM_MS}）`,
  )
  const worker = async (key: string) => {
    for (let i = 1; i <= 10; i++) await change(server1, key, i)
  }
  await Promise.all(Array.from({ length: 10 }, (_, i) => worker(`many_${i}`)))
  expect(await pendingOf(server1), PENDING).toBe(100)
  await heal(pair)
  when(
    `100 changes have waited (SYNC_RETRY_MS=${SELDOM_MS}); the links are whole again`,
    `100件の変更が待っている状態で、通信が元に戻った（SYNC_RETRY_MS=${SELDOM_MS}）`,
  )
  // One change per SYNC_RETRY_MS would take 30 s; a busy machine takes part of the time that is left.
  const label = say('pendingSyncs of server-1 is 0 within 15 s', 'server-1のpendingSyncsが15秒以内に0になる')
  await eventually(label, () => pendingOf(server1), 0, { within: 15_000, every: 25 })
  for (let i = 0; i < 10; i++)
    expect(await valueIn(db2, `many_${i}`), say(`many_${i} in pg-2`, `pg-2のmany_${i}`)).toBe(10)
})

test(say('only the peer may write', '書き込めるのは相手のサーバーだけ'), async () => {
  await expectStrangersRefused(pair)
})

test(say('a bad setting is refused', '不正な設定は断られる'), async () => {
  await expectBadSettingsRefused(pair)
})
