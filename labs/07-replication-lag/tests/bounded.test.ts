import {
  beforeAll,
  eventually,
  expect,
  say,
  test,
  when,
  type StartedPostgres,
  type StartedRole,
} from '#harness'
import { lagSeconds } from './lag.ts'
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

async function untilBehind(replica: StartedPostgres, seconds: number): Promise<void> {
  await eventually(
    say(`lagSeconds of ${replica.name} above ${seconds}`, `${replica.name}のlagSecondsが${seconds}を超える`),
    () => lagSeconds(server, replica),
    (behind) => behind > seconds,
  )
}

async function tenReads(): Promise<Counts> {
  const reads = await shop.counting()
  for (let i = 0; i < 10; i++) expect(await read(server, id, { maxLagMs: 100 })).toAnswer(200, { id })
  return (await reads())(server)
}

const by = say('reads by each node', '各ノードの読み取り回数')

// #region bound
test(say('at most 100 ms old', '遅れは100msまで'), async () => {
  await shop.pause(shop.replica1)
  await shop.row(newId())
  await untilBehind(shop.replica1, 0.2)
  when(
    'replica-1 is more than 0.2 s behind; ten reads with X-Max-Lag-Ms: 100',
    'replica-1が0.2秒以上遅れている。X-Max-Lag-Ms: 100で10回読む',
  )
  expect(await tenReads(), by).toEqual({ primary: 0, 'replica-1': 0, 'replica-2': 10 })

  await shop.pause(shop.replica2)
  await shop.row(newId())
  await untilBehind(shop.replica2, 0.1)
  when('both are too far behind', '両方とも遅れすぎている')
  expect(await tenReads(), by).toEqual({ primary: 10, 'replica-1': 0, 'replica-2': 0 })

  await shop.resume()
  when('both have caught up', '両方とも追いついた')
  for (const replica of [shop.replica1, shop.replica2])
    await eventually(
      say(`lagSeconds of ${replica.name} below 0.1`, `${replica.name}のlagSecondsが0.1未満`),
      () => lagSeconds(server, replica),
      (behind) => behind < 0.1,
    )
  expect((await tenReads()).primary, say('reads by the primary', 'プライマリの読み取り回数')).toBe(0)
})
// #endregion bound
