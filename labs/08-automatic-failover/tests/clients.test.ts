import { beforeAll, expect, note, say, test, when, type StartedRole } from '#harness'
import type { Cluster } from './cluster.ts'
import { replaced } from './looks.ts'
import { newOrder, settled, startService, startWriters, takenBy } from './orders.ts'
import { bothCandidates } from './whole.ts'

let cluster: Cluster
let server: StartedRole

beforeAll(async ({ random }) => {
  cluster = await bothCandidates(random, { synchronous: true })
  // Not beside it: before a new cluster empties Redis, the service would find the last one's epoch there, a greater one.
  ;({ server } = await startService())
})

// #region repeat
test(say('an order may be repeated by its id', '注文は同じidで繰り返せる'), async () => {
  when('POST /orders', 'POST /orders')
  const order = await takenBy(server)
  const post = (body: object) =>
    settled(say('an answer to it that is no 503', '503でない応答'), () => server.post('/orders', body))
  const get = (id: string) =>
    settled(say('an answer to it that is no 503', '503でない応答'), () => server.get(`/orders/${id}`))
  when('the same order again', '同じ注文をもう一度')
  expect(await post(order)).toAnswer(200, { id: order.id })
  when('its id with another item', '同じidで別のitem')
  expect(await post({ ...order, item: 'pen' })).toAnswer(409, { error: 'conflict' })
  when(
    'GET /orders/:id, of an order that is there, and of one that is not',
    'ある注文とない注文のGET /orders/:id',
  )
  expect(await get(order.id)).toAnswer(200, order)
  expect(await get(newOrder().id)).toAnswer(404)
})
// #endregion repeat

// #region writers
test(say('nothing acknowledged is lost', '確認した注文は失われない'), async () => {
  const { primary } = cluster
  const writers = startWriters([server])
  await writers.more(8, say('orders are acknowledged', '注文が確認される'))
  when('four clients write, and the primary is killed', '4クライアントが書き込む中、プライマリを強制終了する')
  await primary.kill({ forGood: true })
  const next = await replaced(cluster)
  await writers.more(8, say('orders are acknowledged again', '注文が再び確認される'))
  await writers.stop()
  expect(writers.gap(), say('milliseconds without an acknowledgement', '確認が途絶えたミリ秒')).toBeLessThan(
    10_000,
  )
  note({ from: 'test', to: 'test', kind: 'note', text: `RTO ${Math.round(writers.gap())} ms` })
  const rows = await next.sql('SELECT id FROM orders WHERE id = ANY($1)', [writers.acknowledged])
  const there = new Set(rows.map(({ id }) => id))
  expect(
    writers.acknowledged.filter((id) => !there.has(id)),
    say('acknowledged orders that the new primary lacks', '確認したのに新しいプライマリにない注文'),
  ).toEqual([])
})
// #endregion writers
