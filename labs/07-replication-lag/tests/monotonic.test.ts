import { beforeAll, expect, say, test, when, type StartedPostgres, type StartedRole } from '#harness'
import { sharedShop, type SharedShop } from './shared.ts'
import { newId, order, read } from './shop.ts'

let shop: SharedShop
let servers: StartedRole[]

beforeAll(async () => {
  shop = await sharedShop()
  servers = await Promise.all([shop.lend('server-a'), shop.lend('server-c')])
})

// #region back-in-time
test(say('a status that was seen stays seen', '一度見えた状態は消えない'), async () => {
  const [a, b] = servers as [StartedRole, StartedRole]
  const id = newId()
  await order(a, id)
  await shop.caughtUp()
  await shop.pause(shop.replica2)
  when(
    'replica-2 stands still with the status "paid", replica-1 has "shipped"',
    'replica-2は「paid」のまま止まり、replica-1には「shipped」がある',
  )
  expect(await a.put(`/orders/${id}`, { status: 'shipped' })).toAnswer(200, { status: 'shipped' })
  await shop.caughtUp(shop.replica1)

  const on = async (replica: StartedPostgres): Promise<unknown> => {
    const [row] = await replica.view(shop.db).sql('SELECT status FROM orders WHERE id = $1', [id])
    return row?.status
  }
  expect(
    [await on(shop.replica1), await on(shop.replica2)],
    say('status on replica-1, on replica-2', 'replica-1とreplica-2での状態'),
  ).toEqual(['shipped', 'paid'])

  when(
    'one client reads 20 times over both servers, each time with the last token',
    '1人が両方のサーバーを合計20回、直前のトークン付きで読む',
  )
  const seen: string[] = []
  let token: string | undefined
  for (let i = 0; i < 20; i++) {
    const answer = await read(i % 2 ? a : b, id, { token })
    expect(answer).toAnswer(200)
    seen.push(answer.body.status)
    token = (answer.headers['x-consistency-token'] as string | undefined) ?? token
  }
  const first = seen.indexOf('shipped')
  expect(
    first < 0 ? [] : seen.slice(first).filter((status) => status !== 'shipped'),
    say('other statuses after "shipped" was seen', '「shipped」のあとに見えた別の状態'),
    { hint: 2 },
  ).toEqual([])
})
// #endregion back-in-time
