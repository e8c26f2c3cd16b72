import { beforeAll, eventually, expect, replicationLink, say, test, when, type StartedRole } from '#harness'
import { quorum, synchronous, waitingForReplicas } from '../../labs/07-replication-lag/tests/commits.ts'
import { newId, openShop, read, tokenOf, type Shop } from '../../labs/07-replication-lag/tests/shop.ts'

let shop: Shop
let server: StartedRole

beforeAll(async () => {
  shop = await openShop()
  ;[server] = await Promise.all([shop.server('server-a', { DURABILITY_TIMEOUT_MS: 500 }), synchronous(shop)])
})

const write = (id: string, durability?: string) =>
  server.post('/orders', { id, userId: 1, status: 'paid', ...(durability && { durability }) })

const rows = async (id: string): Promise<unknown> =>
  (await shop.db.sql('SELECT count(*)::int AS n FROM orders WHERE id = $1', [id]))[0]?.n

test(say('the level ends with its transaction', '水準はトランザクションとともに終わる'), async () => {
  await shop.pause()
  when(
    'both replicas receive and apply nothing; POST with "remote_apply", then more without a level',
    '両方のレプリカは受信するが適用しない。「remote_apply」でPOSTし、次からは水準なしでPOSTする',
  )
  for (let i = 0; i < 3; i++) {
    expect(await write(newId(), 'remote_apply')).toAnswer(202, { replicated: false })
    expect(await write(newId())).toAnswer(201)
  }
  // A pool that lends its connections in turn comes round to those.
  for (let i = 0; i < 12; i++) expect(await write(newId())).toAnswer(201)
})

test(say('nobody can be reached', 'どのレプリカにも届かない'), async () => {
  const { primary, replica1, replica2 } = shop
  const wires = await Promise.all([replicationLink(replica1, primary), replicationLink(replica2, primary)])
  await eventually(say('two synchronous replicas', '同期レプリカが2台'), () => quorum(shop), 2)
  for (const wire of wires) wire.cut()
  await eventually(say('no replica is connected', '接続中のレプリカがない'), () => quorum(shop), 0)
  for (const [level, status] of [
    ['local', 201],
    ['off', 201],
    ['on', 202],
    ['remote_write', 202],
  ] as const) {
    const id = newId()
    when(
      `replication to both replicas is cut: POST with "${level}"`,
      `両方のレプリカへの回線を切り、「${level}」でPOST`,
    )
    const answer = await write(id, level)
    const hint = answer.status === 500 || answer.status === 201 ? 3 : 2
    expect(answer, undefined, { hint }).toAnswer(status, { id })
    expect(await rows(id), say('rows of that order on the primary', 'プライマリにあるその注文の行数'), {
      hint: 3,
    }).toBe(1)
  }
  when('all were answered', 'すべてに応答したあと')
  await eventually(
    say('backends that still wait for replicas', 'レプリカを待ち続けるバックエンド'),
    () => waitingForReplicas(shop),
    0,
  )

  const id = newId()
  when('the same id twice', '同じIDで2回')
  const first = await write(id, 'on')
  expect(first).toAnswer(202, { id, replicated: false })
  expect(await write(id, 'local')).toAnswer(409, { error: 'exists' })
  when('a read with the token of a 202', '202のトークンで読む')
  expect(await read(server, id, { token: tokenOf(first) })).toAnswer(200, { id })
  await Promise.all(wires.map((wire) => wire.open()))
  await shop.caughtUp()
})

test(say('a level that does not exist', '存在しない水準'), async () => {
  for (const durability of ['always', "on'; drop table orders; --", 'ON', 1]) {
    const id = newId()
    const since = await shop.primary.marker()
    when(
      `POST with durability ${JSON.stringify(durability)}`,
      `durability ${JSON.stringify(durability)}でPOST`,
    )
    const answer = await server.post('/orders', { id, userId: 1, status: 'paid', durability })
    // What is no text is no level either: both names fit.
    const names = ['invalid_durability', ...(typeof durability === 'string' ? [] : ['bad_request'])]
    expect(answer).toAnswer(400)
    expect(names, say('error', 'error')).toContain(answer.body?.error)
    const asked = { application: 'server-a', text: /\borders\b|always/i }
    expect(
      (await shop.primary.statements(asked, since)).map(({ text }) => text),
      say('statements of server-a for this request', 'このリクエストでserver-aが実行した文'),
    ).toEqual([])
    expect(await rows(id), say('rows of that order', 'その注文の行数')).toBe(0)
  }
})
