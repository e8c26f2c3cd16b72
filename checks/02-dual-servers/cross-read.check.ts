import {
  ahead,
  beforeAll,
  burst,
  eventually,
  expect,
  say,
  startRole,
  test,
  when,
  type StartedRole,
} from '#harness'
import { quietPair } from '../../labs/02-dual-servers/tests/lent.ts'
import { as, reads, type Pair } from '../../labs/02-dual-servers/tests/pair.ts'
import { briefPair } from './brief.ts'
import { back, expectUnavailable, inLog, read, TIMEOUT, UNAVAILABLE } from './reading.ts'

let pair: Pair
let brief: Promise<Pair>
let mistaken: Promise<StartedRole>

beforeAll(async () => {
  pair = await quietPair()
  const { server1, server2, env2 } = pair
  brief = ahead(briefPair)
  mistaken = ahead(() => startRole('server', { name: 'server-2', env: { ...env2, PARTITION: 'A-M' } }))
  for (const id of ['nancy789', 'n.b_c-d']) await server2.put('/api/profile', { displayName: id }, as(id))
  await server1.put('/api/profile', { displayName: 'alice123' }, as('alice123'))
})

const ID_OF_ANSWER = say('x-request-id of the answer', '応答のx-request-id')
const TO_1 = say('requests of server-2 to server-1', 'server-2からserver-1へのリクエスト数')
const TO_2 = say('requests of server-1 to server-2', 'server-1からserver-2へのリクエスト数')

test(say('one request id through both logs', '一つのリクエストIDが両方のログに残る'), async ({ random }) => {
  const { server1, server2 } = pair
  const [local, across] = [`local-${random.word()}`, `across-${random.word()}`]
  when(`alice123 reads her own profile as ${local}`, `alice123が${local}として自分のプロフィールを読んだ`)
  const own = await read(server1, 'alice123', 'alice123', { 'x-request-id': local })
  expect(own.headers['x-request-id'], ID_OF_ANSWER).toBe(local)

  when(`alice123 reads nancy789 as ${across}`, `alice123が${across}としてnancy789を読んだ`)
  const other = await read(server1, 'nancy789', 'alice123', { 'x-request-id': across })
  expect(other.headers['x-request-id'], ID_OF_ANSWER).toBe(across)
  const logs = (id: string) => [inLog(server1, id), inLog(server2, id)]
  const inBoth = say(`${across} in the logs of both servers`, `両サーバーのログに${across}がある`)
  await eventually(inBoth, () => logs(across), [true, true], { hint: 3 })
  // The later id is in both logs, so the earlier one would be there by now.
  const where = say(`${local} in the logs of server-1, server-2`, `server-1、server-2のログの${local}`)
  expect(logs(local), where).toEqual([true, false])
})

test(say('a request without an id gets one', 'IDのないリクエストにはサーバーが付ける'), async () => {
  when('two requests come without x-request-id', 'x-request-idのないリクエストを2回送った')
  const ids = await Promise.all(
    ['alice123', 'nancy789'].map(
      async (id) => (await read(pair.server1, id, 'alice123')).headers['x-request-id'],
    ),
  )
  const label = say('different ids in the answers', '応答にある異なるIDの数')
  expect(new Set(ids.filter(Boolean)).size, label).toBe(2)
})

test(say('the other way round', '逆方向でも読める'), async () => {
  when('nancy789 reads alice123 at server-2', 'nancy789がserver-2でalice123を読んだ')
  const profile = { userId: 'alice123', server: 'server-1', partition: 'A-M' }
  const answer = await read(pair.server2, 'alice123', 'nancy789')
  expect(answer).toAnswer(200, { ...profile, fetchedFrom: 'server-1', requestedBy: 'nancy789' })
})

test(say('the caller must belong here', '呼び出し元は担当のユーザーに限る'), async () => {
  const before = reads(pair.to2)
  for (const target of ['nancy789', 'alice123']) {
    when(`nancy789 reads ${target} at server-1`, `nancy789がserver-1で${target}を読んだ`)
    const answer = await read(pair.server1, target, 'nancy789')
    expect(answer).toAnswer(421, { error: 'misdirected_request', correctServer: 'server-2' })
  }
  expect(reads(pair.to2) - before, TO_2).toBe(0)
})

test(say('ids arrive as they are', 'IDはそのまま相手に届く'), async () => {
  const { server1, to2 } = pair
  when('alice123 reads n.b_c-d at server-1', 'alice123がserver-1でn.b_c-dを読んだ')
  const answer = await read(server1, 'n.b_c-d', 'alice123')
  expect(answer).toAnswer(200, { userId: 'n.b_c-d', fetchedFrom: 'server-2' })
  const before = reads(to2)
  for (const id of ['9lives', 'nancy%20789', 'nancy%2F789', `n${'x'.repeat(64)}`]) {
    when(`alice123 reads ${id} at server-1`, `alice123がserver-1で${id}を読んだ`)
    expect(await read(server1, id, 'alice123')).toAnswer(400, { error: 'invalid_user_id' })
  }
  expect(reads(to2) - before, TO_2).toBe(0)
})

test(say('30 at once in both directions', '両方向に同時に30件'), async () => {
  const { server1, server2 } = pair
  when(
    '30 cross reads are sent at once, half of them each way',
    '30件の読み取りを、半分ずつ両方向に同時に送った',
  )
  const answers = await burst(30, (i) =>
    i % 2 ? read(server1, 'nancy789', 'alice123') : read(server2, 'alice123', 'nancy789'),
  ).done
  const wrong = answers.filter(({ status }) => status !== 200)
  const label = say('answers other than 200', '200以外の応答')
  expect(
    wrong.map(({ status, text, broken }) => broken?.en ?? `${status} ${text}`),
    label,
  ).toEqual([])
})

test(say('a peer that is ill costs a bounded wait', '相手が不調でも待ち時間には限りがある'), async () => {
  const ill = await brief
  const { server1, server2, to2, toDb2 } = ill
  await server2.put('/api/profile', { displayName: 'nancy789' }, as('nancy789'))
  await server1.put('/api/profile', { displayName: 'alice123' }, as('alice123'))
  toDb2.cut()
  when('server-2 has lost its database', 'server-2がデータベースとの接続を失った')
  await expectUnavailable(ill)
  await toDb2.open()
  await back(ill)

  await server2.freeze()
  when(`server-2 is frozen, PEER_TIMEOUT_MS=${TIMEOUT}`, `server-2が凍りついた（PEER_TIMEOUT_MS=${TIMEOUT}）`)
  await expectUnavailable(ill)
  await server2.thaw()
  await back(ill)

  await server2.kill()
  when('server-2 is killed', 'server-2を強制終了した')
  await expectUnavailable(ill)

  to2.blackHole()
  when('packets to server-2 vanish', 'server-2への通信が途中で消えるようになった')
  await Promise.all([expectUnavailable(ill), server2.start()])
  await to2.open()
  when(
    'server-2 is started again and packets arrive again',
    'server-2を再起動し、server-2への通信が再び届くようになった',
  )
  await back(ill)
})

test(say('two servers that both own A-M', '両方のサーバーがA-Mを担当する'), async () => {
  const { server2, to1, to2 } = pair
  const other = await mistaken
  // Whoever passes the question on finds the one that asked.
  to2.retarget({ host: '127.0.0.1', port: other.port })
  to2.reset()
  const before = { to1: reads(to1), to2: reads(to2) }
  when(
    'both have PARTITION=A-M by mistake; alice123 reads nancy789 at server-2',
    '設定の誤りで両方がPARTITION=A-Mになり、alice123がserver-2でnancy789を読んだ',
  )
  expect(await read(other, 'nancy789', 'alice123')).toAnswer([404, ...UNAVAILABLE])
  expect(reads(to2) - before.to2, TO_2).toBeLessThanOrEqual(1)
  // Not one: fetch repeats by itself what was answered with 421.
  expect(reads(to1) - before.to1, TO_1).toBeLessThanOrEqual(2)
  to2.retarget({ host: '127.0.0.1', port: server2.port })
  to2.reset()
})
