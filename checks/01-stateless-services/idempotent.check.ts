import { beforeAll, burst, expect, http, link, say, test, when } from '#harness'
import { instances, keptConnections, type Service } from '../../labs/01-stateless-services/tests/instances.ts'
import {
  inLanes,
  inProgress,
  order,
  ordersOf,
  ROWS,
  sendBoth,
  timeFor,
  untilTaken,
} from '../../labs/01-stateless-services/tests/orders.ts'

let service: Service

beforeAll(async () => {
  service = await instances(1, 2)
})

const KEY = 20

test(say('two at the same moment', '2件がまったく同時に届く'), async ({ random }) => {
  const { app1, app2, db } = service
  const [key, item] = [random.word(KEY), random.word()]
  const lock = await db.holdLock('orders', 'SHARE')
  when(
    'each instance gets the order while nobody can write to orders',
    'ordersに誰も書き込めない間に、両方のインスタンスへ同じ注文が届いた',
  )
  const both = sendBoth([app1, app2], key, { item, quantity: 1 })
  await inProgress(db, both)
  await lock.release()
  await Promise.all(both.answers)
  await untilTaken(app1, key, { item, quantity: 1 })
  expect(await ordersOf(db, item), ROWS).toBe(1)
})

test(say('one key twenty times at once', '同じキーを20回同時に送る'), async ({ random }) => {
  const { apps, db } = service
  const [key, item] = [random.word(KEY), random.word()]
  when(
    'one order is sent 20 times at once, over both instances',
    '1件の注文を、両方のインスタンスへ同時に20回送った',
  )
  const answers = await burst(20, (i) => order(apps[i % 2]!, key, { item, quantity: 1 })).done
  const odd = answers.filter(({ status }) => status !== 201 && status !== 409)
  expect(
    odd.map(({ status }) => status),
    say('answers other than 201 and 409', '201と409以外の応答'),
  ).toEqual([])
  const ids = await Promise.all(apps.map((app) => untilTaken(app, key, { item, quantity: 1 })))
  const seen = new Set([
    ...ids,
    ...answers.flatMap((answer) => (answer.status === 201 ? [answer.body?.id] : [])),
  ])
  expect(seen.size, say('different ids among the answers', '応答に現れた異なるID')).toBe(1)
  expect(await ordersOf(db, item), ROWS).toBe(1)
})

test(say('only an order takes a key', 'キーを使うのは、成立した注文だけ'), async ({ random }) => {
  const { app1, app2, db } = service
  const [key, item] = [random.word(KEY), random.word()]
  for (const body of [
    { item },
    { item, quantity: 0 },
    { item, quantity: 1.5 },
    { item: '', quantity: 1 },
    { item, quantity: 1001 },
  ]) {
    when(`the order is sent as ${JSON.stringify(body)}`, `注文として「${JSON.stringify(body)}」を送った`)
    expect(await order(app1, key, body)).toAnswer(400, { error: 'invalid_order' })
  }
  when('the order is corrected and sent with the same key', '注文を直し、同じキーで送り直した')
  const taken = await order(app2, key, { item, quantity: 2 })
  expect(taken).toAnswer(201, { item, quantity: 2 })

  when(
    'it is repeated with its fields in another order and with spaces',
    'フィールドの順序と空白を変えて、もう一度送った',
  )
  const headers = { 'idempotency-key': key, 'content-type': 'application/json' }
  const respelled = `{ "quantity" : 2,\n  "item" : ${JSON.stringify(item)} }`
  expect(await app1.post('/api/orders', respelled, { headers })).toAnswer(201, { id: taken.body?.id })
  expect(await ordersOf(db, item), ROWS).toBe(1)
})

test(say('the reply is lost', '応答が途中で失われる'), async ({ random }) => {
  const { app1, app2, db } = service
  const [key, item] = [random.word(KEY), random.word()]
  const toApp1 = await link('client', app1)
  using lost = toApp1.loseReply(/POST/)
  when(
    'app-1 takes an order and its answer is lost; the client repeats it at app-2',
    'app-1が注文を受けたが応答が失われ、クライアントがapp-2へ送り直した',
  )
  const headers = { 'idempotency-key': key }
  const first = await http(`${toApp1.url}/api/orders`, {
    method: 'POST',
    body: { item, quantity: 1 },
    headers,
    to: 'app-1',
  })
  expect(
    [lost.count, first.status],
    say(
      'answers that were lost, status that the client saw',
      '失われた応答の数と、クライアントに見えたステータス',
    ),
  ).toEqual([1, 0])
  await untilTaken(app2, key, { item, quantity: 1 })
  expect(await ordersOf(db, item), ROWS).toBe(1)
})

test(
  say('300 orders, each sent one to four times', '300件の注文を、それぞれ1〜4回送る'),
  async ({ random }) => {
    const { apps, db } = service
    const orders = Array.from({ length: 300 }, (_, i) => ({
      key: `${random.word(KEY)}-${i}`,
      quantity: random.int(1, 1000),
    }))
    const item = random.word()
    when(
      '300 orders are sent one to four times each, mixed, over both instances',
      '300件の注文を1〜4回ずつ、順不同で両方のインスタンスへ送った',
    )
    const agent = keptConnections(4)
    const sends = random.shuffle(
      orders.flatMap((one) =>
        Array.from({ length: random.int(1, 4) }, () => ({ ...one, app: random.pick(apps) })),
      ),
    )
    await inLanes(8, sends, ({ key, quantity, app }) => untilTaken(app, key, { item, quantity }, agent))
    expect(await ordersOf(db, item), ROWS).toBe(300)
  },
)

test(say('killed in the middle of an order', '注文の途中で強制終了される'), async ({ random }) => {
  const { app1, app2, db } = service
  const [key, item] = [random.word(KEY), random.word()]
  const lock = await db.holdLock('orders', 'SHARE')
  const first = sendBoth([app1], key, { item, quantity: 1 })
  await inProgress(db, first)
  when(
    'app-1 is killed while it writes an order, and the client repeats it at app-2',
    'app-1が注文の書き込み中に強制終了され、クライアントがapp-2へ送り直した',
  )
  await app1.kill()
  const second = sendBoth([app2], key, { item, quantity: 1 })
  await timeFor(db, second)
  await lock.release()
  await Promise.all(second.answers)
  const id = await untilTaken(app2, key, { item, quantity: 1 })
  expect(await ordersOf(db, item), ROWS).toBe(1)

  when(
    'app-2 is killed too, app-1 is started again, and the client repeats once more',
    'app-2も強制終了し、起動し直したapp-1へクライアントがもう一度送った',
  )
  await app2.kill()
  await app1.start()
  expect(await untilTaken(app1, key, { item, quantity: 1 }), say('id of the order', '注文のID')).toBe(id)
  expect(await ordersOf(db, item), ROWS).toBe(1)
})
