import { beforeAll, burst, eventually, expect, say, startRole, test, when, type Answer } from '#harness'
import { brief } from '../../labs/02-dual-servers/tests/agreement.ts'
import { quietPair } from '../../labs/02-dual-servers/tests/lent.ts'
import { heal, type Pair } from '../../labs/02-dual-servers/tests/pair.ts'
import {
  change,
  changesIn,
  drained,
  put,
  settled,
  valueIn,
} from '../../labs/02-dual-servers/tests/settings.ts'
import { CUT_FELT, part, syncs } from './between.ts'
import { expectSameRecords } from './records.ts'

let pair: Pair

beforeAll(async () => {
  pair = await quietPair()
})

const OK = { success: true }

test(say('a late commit', '遅れてコミットされる変更'), async () => {
  const { server1, db1, db2 } = pair
  when('server-1 gets PUT hot = 0', 'server-1がPUT hot = 0を受けた')
  await change(server1, 'hot', 0)
  await drained(pair)
  const lock = await db1.hold(
    `SELECT 1 FROM global_settings WHERE key = 'hot' FOR UPDATE`,
    'lock the row of hot',
  )
  const waiting = async () => (await db1.activity({ application: 'server-1', waiting: true })).length
  const answers: Record<string, Answer> = {}
  const send = async (key: string) => (answers[key] = await put(server1, key, 1, 15_000))

  when(
    'the row of hot in pg-1 is locked; server-1 gets PUT hot = 1',
    'pg-1のhotの行がロックされ、server-1がPUT hot = 1を受けた',
  )
  const hot = send('hot')
  await eventually(
    say('PUT hot waits for the row', 'PUT hotが行を待つ'),
    async () => answers.hot || (await waiting()) >= 1,
  )
  when(
    'PUT hot = 1 waits for a row lock in pg-1; server-1 gets PUT cold = 1',
    'PUT hot = 1がpg-1の行ロックを待つ間に、server-1がPUT cold = 1を受けた',
  )
  const cold = send('cold')
  // It is answered, or waits as well: in Postgres, where that is seen, or in a server that makes one change at a time.
  await eventually(
    say('PUT cold is answered or waits too', 'PUT coldが応答するか、同じく待つ'),
    async () => answers.cold || (await waiting()) >= 2,
    Boolean,
    { within: 2000 },
  ).catch(() => {})
  // Lets a cursor run past the change that is not committed yet. Who waits for that one before it delivers is right too.
  if (answers.cold)
    await eventually(say('cold in pg-2', 'pg-2のcold'), () => valueIn(db2, 'cold'), 1, {
      within: 3000,
    }).catch(() => {})
  await lock.release()
  expect(await hot).toAnswer(200, OK)
  expect(await cold).toAnswer(200, OK)
  when(
    'PUT hot = 1 waited for a row lock in pg-1 while PUT cold = 1 came; then the lock was released',
    'PUT hot = 1がpg-1の行ロックを待つ間にPUT cold = 1が来て、その後ロックが外れた',
  )
  await drained(pair)
  for (const key of ['cold', 'hot'])
    expect(
      await valueIn(db2, key),
      say(`${key} in pg-2, when pendingSyncs is 0`, `pendingSyncsが0のときのpg-2の${key}`),
    ).toBe(1)
})

test(say('killed before the reply', '応答が来る前に強制終了される'), async () => {
  const { server1, db2, to1, to2 } = pair
  for (const link of [to1, to2]) link.hold('reply')
  when(
    'replies between the servers are held; server-1 gets PUT crash_a',
    'サーバー間の応答が止まっている状態で、server-1がPUT crash_aを受けた',
  )
  const first = await change(server1, 'crash_a', 1).then(() => to1.requests.length)
  // Pushed and applied, or pulled: the answer with the change waits in the link.
  const delivered = async () =>
    (await valueIn(db2, 'crash_a')) === 1 || syncs(to1, first).some(({ status }) => status !== undefined)
  await eventually(say('crash_a is on its way', 'crash_aが相手に向かう'), delivered)
  await server1.kill()
  when(
    'server-1 was killed after it had delivered crash_a, before the reply came; started again, it gets PUT crash_b',
    'server-1がcrash_aを届けたあと、応答を受け取る前に強制終了された。再起動後、PUT crash_bを受けた',
  )
  await heal(pair)
  await server1.start()
  await change(server1, 'crash_b', 2)
  await settled(pair)
  const recorded = (await changesIn(db2, 'server-1')).filter(({ key }) => key.startsWith('crash_'))
  const label = say('changes in setting_changes of pg-2', 'pg-2のsetting_changesにある変更')
  expect(brief(recorded), label).toEqual(['crash_a=1', 'crash_b=2'])
})

test(say('40 at once', '40件を同時に'), async () => {
  part(pair)
  when(
    'the links are cut; server-1 gets 40 PUTs at once',
    '通信が切れている間に、server-1が40件のPUTを同時に受けた',
  )
  const keys = ['m', 'n', 'o']
  const answers = await burst(40, (i) => put(pair.server1, keys[i % 3]!, i)).done
  for (const answer of answers) expect(answer).toAnswer(200, OK)
  await heal(pair)
  when(
    'server-1 got 40 PUTs of three settings at once while the links were cut; then the links were whole again',
    '通信が切れている間にserver-1が3つの設定への40件のPUTを同時に受け、その後、通信が元に戻った',
  )
  await settled(pair)
  await expectSameRecords(pair, keys, 40)
})

test(say('two processes of server-1', 'server-1のプロセスが2つ'), async () => {
  const second = await startRole('server', { name: 'server-1', env: pair.env1 })
  const keys = ['p', 'q', 'r', 's', 't']
  when(
    'a deploy overlaps: two processes of server-1 on one database get 40 PUTs',
    'デプロイの重なりで、同じデータベースを使うserver-1のプロセスが2つあり、合わせて40件のPUTを受けた',
  )
  const answers = await burst(40, (i) => put(i % 2 ? pair.server1 : second, keys[i % 5]!, i)).done
  for (const answer of answers) expect(answer).toAnswer(200, OK)
  await settled(pair)
  await expectSameRecords(pair, keys, 40)
})

test(say('a link that comes and goes', '切れたり戻ったりする通信'), async ({ random }) => {
  const keys = ['u', 'v', 'w']
  const all = async (puts: (readonly [key: string, value: number])[]) => {
    for (const answer of await Promise.all(puts.map(([key, value]) => put(pair.server1, key, value))))
      expect(answer).toAnswer(200, OK)
  }
  when(
    'server-1 gets 200 PUTs while the links are cut and healed ten times',
    '通信が10回切れては戻る間に、server-1が200件のPUTを受けた',
  )
  for (let round = 0; round < 10; round++) {
    const cut = random.int(1, 19)
    const puts = Array.from({ length: 20 }, (_, i) => [random.pick(keys), 20 * round + i] as const)
    const hits = part(pair)
    await all(puts.slice(0, cut))
    if (round === 0) await eventually(CUT_FELT, hits)
    await heal(pair)
    await all(puts.slice(cut))
  }
  await settled(pair)
  await expectSameRecords(pair, keys, 200)
})
