import { beforeAll, eventually, expect, say, test, when } from '#harness'
import { sharedShop, type SharedShop } from './shared.ts'
import { mark, pauseReplicas, resumeReplicas, type Gateway } from './shop.ts'

let shop: SharedShop
let gateway: Gateway

beforeAll(async () => {
  shop = await sharedShop()
  gateway = await shop.lend('gateway-1')
})

// #region strong
test(say('a strong read sees what was committed', 'strongな読み取りはコミット済みの行を見る'), async () => {
  await pauseReplicas(shop)
  when('replay is paused on every replica, and a row is inserted', '全レプリカの再生を止め、1行挿入する')
  expect(await gateway.query("INSERT INTO audit_log (note) VALUES ('new')")).toAnswer(200, { rowCount: 1 })

  const m = mark()
  const read = `SELECT note FROM audit_log WHERE note = 'new' ${m}`
  when('an eventual read', 'eventualで読む')
  expect(await gateway.query(read, [], { consistency: 'eventual' })).toAnswer(200, { rowCount: 0 })
  when('a strong read', 'strongで読む')
  expect(await gateway.query(read, [], { consistency: 'strong' })).toAnswer(200, {
    rowCount: 1,
    node: 'primary',
  })
  expect((await shop.executed(m)).primary, say('executed by the primary', 'プライマリが実行した数')).toBe(1)

  when('replay goes on', '再生を再開する')
  await resumeReplicas(shop)
  await eventually(
    say('an eventual read that sees the row', '行が見えるeventualな読み取り'),
    async () => (await gateway.query(read)).body?.rowCount,
    1,
  )
})
// #endregion strong
