import { beforeAll, eventually, expect, say, test, when, type StartedRole } from '#harness'
import { expectNoSeconds, lagSeconds, untilQuiet } from './lag.ts'
import { sharedShop, type SharedShop } from './shared.ts'
import { newId } from './shop.ts'

let shop: SharedShop
let server: StartedRole

beforeAll(async () => {
  shop = await sharedShop()
  server = await shop.lend('server-a')
  await shop.calm()
})

// #region idle
test(say('four in the morning', '書き込みのない午前4時'), async () => {
  await shop.row(newId())
  await shop.caughtUp()
  await untilQuiet(shop.replica1, 0.25)
  when(
    'both replicas have everything, and nobody has written for 0.25 s',
    '両方のレプリカが追いつき、0.25秒間書き込みがない',
  )
  for (const replica of [shop.replica1, shop.replica2]) await expectNoSeconds(server, replica)
})
// #endregion idle

// #region clock
test(
  say('a replica that stands still falls behind by the second', '止まったレプリカは、止まった分だけ遅れる'),
  async () => {
    when('replay is paused on replica-1, and one row is written', 'replica-1の再生を止めて、1行書き込む')
    // A heartbeat that came while replay was being paused may be missing already.
    const before = performance.now()
    await shop.pause(shop.replica1)
    await shop.row(newId())
    const after = performance.now()
    const look = async () => {
      const asked = performance.now()
      const seconds = await lagSeconds(server, shop.replica1)
      return {
        seconds,
        atLeast: (asked - after) / 1000 - 0.25,
        atMost: (performance.now() - before) / 1000 + 0.25,
      }
    }
    const seen = await eventually(
      say('lagSeconds of replica-1 reaches 0.3', 'replica-1のlagSecondsが0.3に達する'),
      look,
      ({ seconds }) => seconds >= 0.3,
      { within: 3000 },
    )
    expect(
      seen.seconds >= seen.atLeast && seen.seconds <= seen.atMost,
      say(
        `lagSeconds ${seen.seconds.toFixed(2)} between ${seen.atLeast.toFixed(2)} and ${seen.atMost.toFixed(2)}, by the test's clock`,
        `lagSecondsの${seen.seconds.toFixed(2)}が、テストの時計で${seen.atLeast.toFixed(2)}〜${seen.atMost.toFixed(2)}の間にある`,
      ),
    ).toBe(true)
    await expectNoSeconds(server, shop.replica2)
    when('replay goes on', '再生を再開する')
    await shop.resume()
    await expectNoSeconds(server, shop.replica1)
  },
)
// #endregion clock
