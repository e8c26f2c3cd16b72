import { beforeAll, expect, say, test, when, type StartedRole } from '#harness'
import { expectNoSeconds, samplesLater, untilBehind } from './lag.ts'
import { sharedShop, type SharedShop } from './shared.ts'
import { newId, read, type Counts } from './shop.ts'

let shop: SharedShop
let server: StartedRole
const id = newId()

beforeAll(async () => {
  shop = await sharedShop()
  server = await shop.lend('server-c')
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
  await shop.pause()
  await shop.row(newId())
  for (const replica of [shop.replica1, shop.replica2]) await untilBehind(server, replica, 0.35)
  when(
    'both are more than 0.35 s behind; ten reads with X-Max-Lag-Ms: 300',
    '両方とも0.35秒以上遅れている。X-Max-Lag-Ms: 300で10回読む',
  )
  expect(await tenReads(), by).toEqual({ primary: 10, 'replica-1': 0, 'replica-2': 0 })

  await shop.replica2.resumeReplay()
  await shop.caughtUp(shop.replica2)
  await expectNoSeconds(server, shop.replica2)
  when('replica-2 has caught up, replica-1 has not', 'replica-2は追いつき、replica-1は遅れたままである')
  expect(await tenReads(), by).toEqual({ primary: 0, 'replica-1': 0, 'replica-2': 10 })

  await shop.resume()
  when('both have caught up', '両方とも追いついた')
  for (const replica of [shop.replica1, shop.replica2]) await expectNoSeconds(server, replica)
  expect((await tenReads()).primary, say('reads by the primary', 'プライマリの読み取り回数')).toBe(0)
})
// #endregion bound
