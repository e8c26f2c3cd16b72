import { beforeAll, eventually, expect, say, test, when, type Random, type StartedRole } from '#harness'
import { expectAgreement } from '../../labs/02-dual-servers/tests/agreement.ts'
import { quietPair } from '../../labs/02-dual-servers/tests/lent.ts'
import type { Pair } from '../../labs/02-dual-servers/tests/pair.ts'
import {
  change,
  drained,
  pendingOf,
  settingsIn,
  settled,
  valueIn,
} from '../../labs/02-dual-servers/tests/settings.ts'
import { CUT_FELT, part } from './between.ts'

let pair: Pair

beforeAll(async () => {
  pair = await quietPair()
})

/** Changes 12 settings at both servers a random number of times. */
async function disagree(random: Random, prefix: string): Promise<void> {
  when(
    'the links are cut; both servers get changes of 12 settings',
    '通信が切れている間に、両方で12個の設定を変更した',
  )
  const several = async (server: StartedRole, key: string, times: number) => {
    for (let i = 1; i <= times; i++) await change(server, key, `${server.name}, ${i}`)
  }
  const keys = Array.from({ length: 12 }, (_, i) => `${prefix}_${i}`)
  await Promise.all(
    keys.flatMap((key) =>
      [pair.server1, pair.server2].map((server) => several(server, key, random.int(0, 3))),
    ),
  )
}

/** One link after the other, in random order: the changes of one side arrive first. */
async function healInTurn(random: Random): Promise<void> {
  const [first, second] = random.shuffle([pair.to1, pair.to2])
  await first!.open()
  const label = say('the changes of one server are delivered', '片方のサーバーの変更が届く')
  const pending = () => Promise.all([pair.server1, pair.server2].map(pendingOf))
  await eventually(label, pending, (counts) => counts.includes(0))
  await second!.open()
}

test(say('12 settings changed on both', '12個の設定を両方で変更'), async ({ random }) => {
  const hits = part(pair)
  await disagree(random, 'a')
  await eventually(CUT_FELT, hits)
  when(
    'both servers got changes of 12 settings while the links were cut; then one link after the other was whole again',
    '通信が切れている間に両方で12個の設定を変更し、その後、通信が片方ずつ元に戻った',
  )
  await healInTurn(random)
  await drained(pair)
  await expectAgreement(pair)
})

test(say('one is restarted in between', '途中で片方が再起動される'), async ({ random }) => {
  const hits = part(pair)
  await disagree(random, 'b')
  await eventually(CUT_FELT, hits)
  const server = random.pick([pair.server1, pair.server2])
  await server.restart()
  when(
    `both servers got changes of 12 settings while the links were cut, and ${server.name} was restarted before they were whole again`,
    `通信が切れている間に両方で12個の設定を変更し、通信が戻る前に${server.name}を再起動した`,
  )
  await healInTurn(random)
  await drained(pair)
  await expectAgreement(pair)
})

test(say('after that a change on either wins', 'その後はどちらの変更も勝つ'), async ({ random }) => {
  const { server1, server2, db1, db2 } = pair
  for (const server of random.shuffle([server1, server2, server1, server2])) {
    const key = `b_${random.int(0, 11)}`
    const value = `${server.name} wins ${random.word()}`
    when(
      `everything is delivered; ${server.name} gets ${key} = "${value}"`,
      `すべてが届いたあと、${server.name}の${key}を"${value}"に変更した`,
    )
    await change(server, key, value)
    await drained(pair)
    const label = say(`${key} in pg-1 and pg-2`, `pg-1とpg-2の${key}`)
    expect([await valueIn(db1, key), await valueIn(db2, key)], label).toEqual([value, value])
  }
})

test(say('what lost stays lost', '負けた変更は戻らない'), async () => {
  const { server1, server2, db1, db2 } = pair
  const before = await settingsIn(db1)
  await Promise.all([server1.restart(), server2.restart()])
  when('both servers are restarted', '両方のサーバーを再起動した')
  await settled(pair)
  await expectAgreement(pair)
  for (const db of [db1, db2]) {
    const label = say(`settings in ${db.server.name}, as before`, `${db.server.name}の設定（再起動前と同じ）`)
    expect(await settingsIn(db), label).toMatchObject(before)
  }
})
