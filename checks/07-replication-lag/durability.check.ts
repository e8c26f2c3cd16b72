import { beforeAll, burst, eventually, expect, say, test, when, type StartedRole } from '#harness'
import { quorum, synchronous, waitingForReplicas } from '../../labs/07-replication-lag/tests/commits.ts'
import { sharedShop, type SharedShop } from '../../labs/07-replication-lag/tests/shared.ts'
import { newId, read, tokenOf } from '../../labs/07-replication-lag/tests/shop.ts'

let shop: SharedShop
let server: StartedRole

beforeAll(async () => {
  shop = await sharedShop()
  ;[server] = await Promise.all([shop.lend('server-a'), synchronous(shop)])
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
  // Three at once: as many connections have been at that level then.
  const late = await burst(3, () => write(newId(), 'remote_apply')).done
  for (const answer of late) expect(answer).toAnswer(202, { replicated: false })
  for (const answer of await burst(3, () => write(newId())).done) expect(answer).toAnswer(201)
  // A pool that lends its connections in turn comes round to those.
  for (let i = 0; i < 12; i++) expect(await write(newId())).toAnswer(201)
})

test(say('nobody can be reached', 'どのレプリカにも届かない'), async () => {
  const wires = await Promise.all([shop.wire(shop.replica1), shop.wire(shop.replica2)])
  await eventually(say('two synchronous replicas', '同期レプリカが2台'), () => quorum(shop), 2)
  for (const wire of wires) wire.cut()
  await eventually(say('no replica is connected', '接続中のレプリカがない'), () => quorum(shop), 0)
  const levels = [
    ['local', 201],
    ['off', 201],
    ['on', 202],
    ['remote_write', 202],
  ] as const
  when(
    'replication to both replicas is cut: a POST with each of "local", "off", "on" and "remote_write" at once',
    '両方のレプリカへの回線を切り、「local」「off」「on」「remote_write」で同時にPOST',
  )
  const written = await Promise.all(
    levels.map(async ([level, status]) => {
      const id = newId()
      return { id, level, status, answer: await write(id, level) }
    }),
  )
  for (const { id, level, status, answer } of written) {
    const hint = answer.status === 500 || answer.status === 201 ? 3 : 2
    expect(answer, say(`POST with "${level}"`, `「${level}」でのPOST`), { hint }).toAnswer(status, { id })
    expect(
      await rows(id),
      say(`rows of the order with "${level}" on the primary`, `プライマリにある「${level}」の注文の行数`),
      { hint: 3 },
    ).toBe(1)
  }
  when('all were answered', 'すべてに応答したあと')
  await eventually(
    say('backends that still wait for replicas', 'レプリカを待ち続けるバックエンド'),
    () => waitingForReplicas(shop),
    0,
  )

  const { id, answer: first } = written.find(({ level }) => level === 'on')!
  expect(first).toAnswer(202, { id, replicated: false })
  when('the id of the order with "on" again', '「on」の注文と同じIDでもう一度POST')
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
