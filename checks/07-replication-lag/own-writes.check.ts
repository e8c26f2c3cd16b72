import { beforeAll, expect, lsn, say, test, when, type StartedRole } from '#harness'
import { interleave } from '../../labs/07-replication-lag/tests/interleavings.ts'
import { samplesLater } from '../../labs/07-replication-lag/tests/lag.ts'
import { crossingTexts, unwrittenCommit } from '../../labs/07-replication-lag/tests/positions.ts'
import { HASTY, sharedShop, type SharedShop } from '../../labs/07-replication-lag/tests/shared.ts'
import { newId, order, read, tokenOf } from '../../labs/07-replication-lag/tests/shop.ts'

let shop: SharedShop
let a: StartedRole
let b: StartedRole
/** It may wait long for a replica, so a slow machine is no reason to ask the primary. */
let patient: StartedRole

beforeAll(async () => {
  shop = await sharedShop()
  ;[a, b, patient] = await Promise.all([shop.lend('server-a'), shop.lend('server-b'), shop.lend('server-c')])
})

const withToken = say('server-b, with the token', 'server-b、トークンあり')

test(say('a commit that takes its time', '時間のかかるコミット'), async () => {
  const id = newId()
  const held = await shop.db.holdStatement('orders', 'INSERT', 'commit')
  const posting = order(a, id)
  await held.waiters(1, 'server-a')
  await shop.caughtUp()
  await shop.pause()
  await held.release()
  const token = await posting
  when(
    'the INSERT was done, its COMMIT waited; both replicas caught up and were paused; then the COMMIT went through',
    'INSERTは済み、COMMITが待っていた。両方のレプリカが追いついてから止まり、そのあとCOMMITが通った',
  )
  expect(await read(b, id, { token }), withToken).toAnswer(200, { id })
})

test(say('an asynchronous commit', '非同期コミット'), async () => {
  const { id, token } = await unwrittenCommit(shop, await shop.running())
  when(
    'the role commits asynchronously: the order is committed and not yet in the WAL on disk',
    'ロールは非同期にコミットする。注文はコミット済みだが、まだディスク上のWALにない',
  )
  expect(await read(b, id, { token }), withToken, { hint: 3 }).toAnswer(200, { id })
})

test(say('the text of a position grows', '位置の文字列が長くなる'), async () => {
  const id = newId()
  const { replica, primary } = await crossingTexts(shop, async () => {
    await shop.row(id)
  })
  const token = tokenOf(await b.put(`/orders/${id}`, { status: 'paid' }))
  when(
    `both replicas stand still at ${replica}, the order was paid beyond ${primary}`,
    `両方のレプリカは${replica}で止まり、支払いは${primary}より先にある`,
  )
  expect(
    replica > primary && lsn(replica) < lsn(primary),
    say('less as a number, greater as text', '数では小さく、文字列では大きい'),
  ).toBe(true)
  expect(await read(b, id, { token }), withToken, { hint: 3 }).toAnswer(200, { status: 'paid' })
})

test(say('ten users, any server', '10人、任意のサーバー'), async ({ random }) => {
  when(
    '10 users write and read 8 times each, at random servers, while replay is paused and resumed at random',
    '再生を無作為に止めたり動かしたりする間に、10人が任意のサーバーで8回ずつ書いて読む',
  )
  const { stale } = await interleave(shop, [a, b], random)
  const label = say('reads older than the last write', '最後の書き込みより古い読み取り')
  expect(stale.slice(0, 3), label).toEqual([])
})

test(say('one replica has it, one has not', '1台は持っていて、1台は持っていない'), async () => {
  const id = newId()
  await shop.pause(shop.replica1)
  const token = await order(b, id)
  await shop.caughtUp(shop.replica2)
  const reads = await shop.counting()
  when(
    'replica-1 stands still without the order, replica-2 has it; ten reads with the token',
    'replica-1は注文がないまま止まり、replica-2にはある。トークン付きで10回読む',
  )
  for (let i = 0; i < 10; i++) expect(await read(patient, id, { token })).toAnswer(200, { id })
  expect((await reads())(patient).primary, say('reads by the primary', 'プライマリの読み取り回数'), {
    hint: 3,
  }).toBe(0)
})

test(say('wait a little, but not for ever', '少し待つ、ただしいつまでもは待たない'), async () => {
  const id = newId()
  await shop.pause()
  const token = await order(a, id)
  const reads = await shop.counting()
  let answered = false
  const reading = read(patient, id, { token }).finally(() => (answered = true))
  await samplesLater(patient, 3)
  when(
    'WAIT_MS=5000: a read waits for the replicas, then replay goes on',
    'WAIT_MS=5000。読み取りがレプリカを待っている間に、再生を再開する',
  )
  expect(answered, say('answered before the replicas had it', 'レプリカに届く前に応答した')).toBe(false)
  await shop.resume()
  expect(await reading).toAnswer(200, { id })
  expect((await reads())(patient).primary, say('reads by the primary', 'プライマリの読み取り回数'), {
    hint: 3,
  }).toBe(0)

  await shop.pause()
  const second = newId()
  const later = await order(b, second)
  const { WAIT_MS } = HASTY
  when(
    `WAIT_MS=${WAIT_MS}, and both replicas stand still`,
    `WAIT_MS=${WAIT_MS}で、両方のレプリカが止まっている`,
  )
  expect(
    await b.get(`/orders/${second}`, { headers: { 'x-consistency-token': later }, within: 3000 }),
  ).toAnswer(200, { id: second })
})

test(say('what is no token', 'トークンではないもの'), async () => {
  for (const token of ['garbage', 'x'.repeat(5000), "' OR 1=1 --"]) {
    when(`X-Consistency-Token: ${token.slice(0, 20)}`, `X-Consistency-Token: ${token.slice(0, 20)}`)
    expect(await read(b, 'nobody', { token })).toAnswer(400, { error: 'invalid_token' })
  }
  when('an empty token', '空のトークン')
  expect(await read(b, 'nobody', { token: '' })).toAnswer(404, { error: 'not_found' })
})

test(say('the writing server and both replicas die', '書いたサーバーと両方のレプリカが落ちる'), async () => {
  const id = newId()
  await shop.shortRecovery()
  await shop.pause()
  const token = await order(b, id)
  await b.kill()
  when('server-b took the order and was killed', 'server-bが注文を受け、強制終了された')
  expect(await read(a, id, { token })).toAnswer(200, { id })
  await Promise.all([shop.replica1.kill(), shop.replica2.kill()])
  when('both replicas are killed too', '両方のレプリカも強制終了された')
  expect(await read(a, id, { token })).toAnswer(200, { id })
})
