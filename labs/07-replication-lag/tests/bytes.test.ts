import { beforeAll, eventually, expect, lsn, say, test, when, type StartedRole } from '#harness'
import { expectBytes, expectNoLag } from './lag.ts'
import { sharedShop, type SharedShop } from './shared.ts'
import { newId, pass4GiB, report } from './shop.ts'

let shop: SharedShop
let server: StartedRole

beforeAll(async () => {
  shop = await sharedShop()
  server = await shop.lend('server-a')
})

test(say('nothing is missing anywhere', 'どのレプリカにも欠けがない'), async () => {
  when('both replicas have caught up', '両方のレプリカが追いついている')
  await shop.caughtUp()
  await report(server)
  await eventually(
    say('name and up of the replicas', 'レプリカのnameとup'),
    async () => (await report(server)).replicas?.map(({ name, up }) => [name, up]),
    [
      ['replica-1', true],
      ['replica-2', true],
    ],
  )
  for (const replica of [shop.replica1, shop.replica2]) await expectNoLag(server, replica)
})

// #region paused
test(say('one replica stands still', '1台のレプリカが止まっている'), async () => {
  when('replay is paused on replica-1, and one row is written', 'replica-1の再生を止めて、1行書き込む')
  await shop.pause(shop.replica1)
  await shop.row(newId())
  await expectBytes(shop, server, shop.replica1)
  await expectNoLag(server, shop.replica1, 'receiveLagBytes')
  await expectNoLag(server, shop.replica2)
})
// #endregion paused

// #region far
test(say('the WAL passes 4 GiB', 'WALが4GiBを超える'), async () => {
  await shop.resume()
  await shop.pause(shop.replica1)
  await shop.row(newId())
  await pass4GiB(shop)
  await shop.row(newId())
  when(
    'replica-1 stands just below 4 GiB of WAL, the primary just above: 0/FF… and 1/…',
    'replica-1はWALの4GiBの手前（0/FF…）で止まり、プライマリは超えた（1/…）',
  )
  expect(
    lsn(await shop.replica1.position()) < 1n << 32n,
    say('replica-1 is below 4 GiB', 'replica-1が4GiBの手前にいる'),
  ).toBe(true)
  await expectBytes(shop, server, shop.replica1, 2)
})
// #endregion far
