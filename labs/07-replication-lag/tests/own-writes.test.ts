import { beforeAll, expect, say, test, when, type StartedRole } from '#harness'
import { sharedShop, type SharedShop } from './shared.ts'
import { newId, order, read } from './shop.ts'

let shop: SharedShop
let a: StartedRole
let b: StartedRole
/** Waits longer for a replica that is slow to follow. */
let c: StartedRole

beforeAll(async () => {
  shop = await sharedShop()
  ;[a, b, c] = await Promise.all([shop.lend('server-a'), shop.lend('server-b'), shop.lend('server-c')])
})

// #region missing-order
test(say('the order that was paid a moment ago', 'たったいま支払った注文'), async () => {
  const id = newId()
  await shop.caughtUp()
  await shop.pause()
  when(
    'replay is paused on both replicas; server-a takes POST /orders, server-b is asked for the order',
    '両方のレプリカの再生を止める。server-aがPOST /ordersを受け、server-bが注文を聞かれる',
  )
  const token = await order(a, id)
  const reads = await shop.counting()
  expect(await read(b, id), say('without the token', 'トークンなし')).toAnswer(404)
  const { primary, ...replicas } = (await reads())(b)
  expect(
    [primary, replicas['replica-1'] + replicas['replica-2']],
    say('reads without a token by the primary, by replicas', 'トークンなしの読み取り：プライマリ、レプリカ'),
  ).toEqual([0, 1])
  const paid = { id, status: 'paid' }
  const [atB, atA] = await Promise.all([read(b, id, { token }), read(a, id, { token })])
  expect(atB, say('server-b, with the token', 'server-b、トークンあり')).toAnswer(200, paid)
  expect(atA, say('server-a, with the token', 'server-a、トークンあり')).toAnswer(200, paid)
})
// #endregion missing-order

// #region caught-up
test(say('a replica that has it serves it', '持っているレプリカが答える'), async () => {
  const id = newId()
  const token = await order(a, id)
  await shop.caughtUp()
  const reads = await shop.counting()
  when(
    'both replicas have the order, and server-c is asked ten times with the token',
    '両方のレプリカに注文があり、server-cをトークン付きで10回呼ぶ',
  )
  for (let i = 0; i < 10; i++) expect(await read(c, id, { token })).toAnswer(200, { id })
  const { primary, ...replicas } = (await reads())(c)
  expect(
    [primary, replicas['replica-1'] + replicas['replica-2']],
    say('reads by the primary, by replicas', 'プライマリとレプリカの読み取り回数'),
    { hint: 3 },
  ).toEqual([0, 10])
})
// #endregion caught-up
