import { beforeAll, eventually, expect, note, say, test, when, type StartedRole } from '#harness'
import { openCluster, type Cluster } from './cluster.ts'
import { replaced } from './looks.ts'
import { newOrder, startService, startWriters } from './orders.ts'

let cluster: Cluster
let server: StartedRole

beforeAll(async ({ random }) => {
  const env = { MIN_CANDIDATES: 2 }
  cluster = await openCluster(random, { synchronous: true, env })
  server = (await startService(cluster)).server
})

// #region repeat
test(say('an order may be repeated by its id', '注文は同じidで繰り返せる'), async () => {
  const order = newOrder()
  when(
    'POST /orders, the same again, and its id with another item',
    'POST /orders、同じものをもう一度、同じidで別のitem',
  )
  await eventually(
    say('201 for a new order', '新しい注文に201'),
    async () => (await server.post('/orders', order)).status,
    201,
  )
  expect(await server.post('/orders', order)).toAnswer(200, { id: order.id })
  expect(await server.post('/orders', { ...order, item: 'pen' })).toAnswer(409, { error: 'conflict' })
  expect(await server.get(`/orders/${order.id}`)).toAnswer(200, order)
  expect(await server.get(`/orders/${newOrder().id}`)).toAnswer(404)
})
// #endregion repeat

// #region writers
test(say('nothing acknowledged is lost', '確認した注文は失われない'), async () => {
  const { primary } = cluster
  const writers = startWriters([server])
  const more = async (count: number, label: ReturnType<typeof say>): Promise<void> => {
    const before = writers.acknowledged.length
    await eventually(
      label,
      () => writers.acknowledged.length - before,
      (n) => n >= count,
      { within: 8000 },
    )
  }
  await more(8, say('orders are acknowledged', '注文が確認される'))
  when('four clients write, and the primary is killed', '4クライアントが書き込む中、プライマリを強制終了する')
  await primary.kill({ forGood: true })
  const next = await replaced(cluster)
  await more(8, say('orders are acknowledged again', '注文が再び確認される'))
  await writers.stop()
  expect(writers.gap(), say('milliseconds without an acknowledgement', '確認が途絶えたミリ秒')).toBeLessThan(
    5000,
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
