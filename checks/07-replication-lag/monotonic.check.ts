import { beforeAll, eventually, expect, say, test, when, type Answer, type StartedRole } from '#harness'
import { statusAsNumber } from '../../labs/07-replication-lag/tests/positions.ts'
import { PATIENT, sharedShop, type SharedShop } from '../../labs/07-replication-lag/tests/shared.ts'
import { newId, order, read, tokenOf } from '../../labs/07-replication-lag/tests/shop.ts'

let shop: SharedShop
let servers: [StartedRole, StartedRole]

beforeAll(async () => {
  shop = await sharedShop()
  servers = await Promise.all([shop.lend('server-c'), shop.server('server-d', PATIENT)])
})

const either = (i: number): StartedRole => servers[i % 2]!

test(say('a 404 is an answer too', '404も答えのうち'), async () => {
  const [missing, fresh] = [newId(), newId()]
  await shop.caughtUp()
  await shop.pause(shop.replica2)
  await shop.row(fresh)
  await shop.caughtUp(shop.replica1)
  when(
    'replica-1 has an order that replica-2 has not; a client without a token reads one that does not exist',
    'replica-1にはあり、replica-2にはない注文がある。トークンのない人が、存在しない注文を読む',
  )
  let none: Answer | undefined
  await eventually(
    say('a read that replica-1 answers, by its log', 'replica-1が答えた読み取り（ログによる）'),
    async () => {
      const reads = await shop.counting()
      none = await read(either(0), missing)
      return (await reads())(either(0))['replica-1']
    },
    (count) => count > 0,
  )
  expect(none).toAnswer(404, { error: 'not_found' })
  const token = tokenOf(none!)
  when(
    'replica-1 said 404; with the token of that answer the order that replica-1 has is read',
    'replica-1が404と答えた。そのトークンで、replica-1にある注文を読む',
  )
  for (let i = 0; i < 6; i++) expect(await read(either(i), fresh, { token })).toAnswer(200, { id: fresh })
})

test(say('a reader who never wrote', '一度も書いていない人'), async ({ random }) => {
  const { replica1, replica2 } = shop
  const id = newId()
  await order(either(0), id, { status: 'paid' })
  const lost: string[] = []
  let token: string | undefined
  let last = 0
  when(
    'statuses 1, 2, 3, … are written; one reader reads 50 times over both servers, while replay is paused and resumed',
    '状態1、2、3、…が書き込まれる。再生が止まったり動いたりする間に、1人が両方のサーバーを合計50回読む',
  )
  for (let i = 1; i <= 50; i++) {
    if (i % 2) await shop.db.sql('UPDATE orders SET status = $2 WHERE id = $1', [id, String(i)])
    if (i % 10 === 1) await random.pick([replica1, replica2]).pauseReplay()
    if (i % 10 === 6) await Promise.all([replica1.resumeReplay(), replica2.resumeReplay()])
    const answer = await read(random.pick(servers), id, { token })
    token = tokenOf(answer)
    const seen = statusAsNumber(answer)
    if (last > 0 && !(seen >= last)) lost.push(`read ${i}: ${answer.status} ${answer.text} after ${last}`)
    if (seen > last) last = seen
  }
  expect(lost.slice(0, 3), say('reads older than an earlier one', '前の読み取りより古い読み取り')).toEqual([])
  expect(last, say('the newest status that was read', '読めた中で最新の状態')).toBeGreaterThan(0)
})

test(
  say('the token that comes back covers the one that was sent', '返るトークンは、送ったトークンを含む'),
  async () => {
    const id = newId()
    await shop.caughtUp()
    await shop.pause(shop.replica1)
    const sent = await order(either(0), id)
    await shop.caughtUp(shop.replica2)
    when(
      'replica-1 stands still without the order; each read brings the token that the last one gave',
      'replica-1は注文がないまま止まっている。毎回、直前に返ったトークンで読む',
    )
    let token = sent
    for (let i = 0; i < 8; i++) {
      const answer = await read(either(i), id, { token })
      expect(answer).toAnswer(200, { id })
      token = tokenOf(answer)
    }
  },
)

test(say('the replicas still do the reading', '読み取りはレプリカが受け持つ'), async () => {
  const id = newId()
  await order(either(0), id)
  await shop.resume()
  const reads = await shop.counting()
  when(
    'both replicas have everything; ten reads with the last token',
    '両方のレプリカが追いついている。直前のトークンで10回読む',
  )
  let token: string | undefined
  for (let i = 0; i < 10; i++) token = tokenOf(await read(either(i), id, { token }))
  const count = await reads()
  expect(
    count(either(0)).primary + count(either(1)).primary,
    say('reads by the primary', 'プライマリの読み取り回数'),
  ).toBe(0)
})
