import { beforeAll, expect, say, test, when } from '#harness'
import { instances, type Service } from './instances.ts'
import { order, ordersOf, ROWS } from './orders.ts'

let service: Service

beforeAll(async () => {
  service = await instances(1, 2)
})

test(
  say('an order that is sent twice is one order', '2回送られた注文は、1件の注文である'),
  async ({ random }) => {
    const { app1, app2, db } = service
    const key = random.word(20)
    const item = random.word()

    when(
      'an order is sent to app-1, and again to app-2 with the same key',
      '注文をapp-1に送り、同じキーでもう一度app-2に送る',
    )
    const first = await order(app1, key, { item, quantity: 3 })
    const again = await order(app2, key, { item, quantity: 3 })
    expect(first).toAnswer(201, { item, quantity: 3 })
    expect(again).toAnswer(201, { item, quantity: 3 })
    expect(again.body?.id, say('id of the repeated order', '繰り返した注文のID')).toBe(first.body?.id)
    expect(await ordersOf(db, item), ROWS).toBe(1)
  },
)

test(say('the key stands for one content', '1つのキーは、1つの内容だけを表す'), async ({ random }) => {
  const { app1, app2, db } = service
  const key = random.word(20)
  const item = random.word()

  await order(app1, key, { item, quantity: 3 })
  when('the same key comes with another quantity', '同じキーで、数量の違う注文が来た')
  expect(await order(app2, key, { item, quantity: 4 })).toAnswer(422, { error: 'idempotency_key_reused' })

  when('an order comes without a key', 'キーのない注文が来た')
  const bare = await app1.post('/api/orders', { item, quantity: 3 })
  expect(bare).toAnswer(400, { error: 'missing_idempotency_key' })

  when('a second key comes with the same content', '同じ内容の注文が、別のキーで来た')
  const second = await order(app2, random.word(20), { item, quantity: 3 })
  expect(second).toAnswer(201, { item, quantity: 3 })
  expect(await ordersOf(db, item), ROWS).toBe(2)
})
