import { beforeAll, expect, say, test, when, type StartedRole } from '#harness'
import { expectNoSeconds, samplesLater, untilBehind } from './lag.ts'
import { newId, openShop, read, type Counts, type Shop } from './shop.ts'

let shop: Shop
let server: StartedRole
const id = newId()

beforeAll(async () => {
  shop = await openShop()
  server = await shop.server('server-a')
  await shop.row(id)
  await shop.calm()
})

async function tenReads(): Promise<Counts> {
  // A read goes by the last sample, which may be older than what /replication has just said.
  await samplesLater(server, 2)
  const reads = await shop.counting()
  for (let i = 0; i < 10; i++) expect(await read(server, id, { maxLagMs: 300 })).toAnswer(200, { id })
  return (await reads())(server)
}

const by = say('reads by each node', '各ノードの読み取り回数')

// #region bound
test(say('at most 300 ms old', '遅れは300msまで'), async () => {
  await shop.pause(shop.replica1)
  await shop.row(newId())
  await untilBehind(server, shop.replica1, 0.5)
  when(
    'replica-1 is more than 0.5 s behind; ten reads with X-Max-Lag-Ms: 300',
    'replica-1が0.5秒以上遅れている。X-Max-Lag-Ms: 300で10回読む',
  )
  expect(await tenReads(), by).toEqual({ primary: 0, 'replica-1': 0, 'replica-2': 10 })

  await shop.pause(shop.replica2)
  await shop.row(newId())
  await untilBehind(server, shop.replica2, 0.5)
  when('both are too far behind', '両方とも遅れすぎている')
  expect(await tenReads(), by).toEqual({ primary: 10, 'replica-1': 0, 'replica-2': 0 })

  await shop.resume()
  when('both have caught up', '両方とも追いついた')
  for (const replica of [shop.replica1, shop.replica2]) await expectNoSeconds(server, replica)
  expect((await tenReads()).primary, say('reads by the primary', 'プライマリの読み取り回数')).toBe(0)
})
// #endregion bound
