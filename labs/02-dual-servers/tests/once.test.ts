import { beforeAll, eventually, expect, say, test, when } from '#harness'
import { brief } from './agreement.ts'
import { quietPair } from './lent.ts'
import { heal, type Pair } from './pair.ts'
import { change, changesIn, settled } from './settings.ts'

let pair: Pair

beforeAll(async () => {
  pair = await quietPair()
})

/** server-1's changes of these settings, as pg-2 has recorded them. */
const recorded = async (prefix: string) =>
  brief((await changesIn(pair.db2, 'server-1')).filter(({ key }) => key.startsWith(prefix)))

test(say('a lost reply records nothing twice', '応答が失われても二重に記録しない'), async () => {
  const { server1, to1, to2 } = pair
  const losses = [to1, to2].map((link) =>
    link.loseReply(({ path }) => path !== '/health', { times: Infinity }),
  )
  when(
    'replies between the servers get lost; server-1 gets PUT dark_mode = true',
    'サーバー間の応答が失われる状態で、server-1のdark_modeをtrueに変更した',
  )
  await change(server1, 'dark_mode', true)
  const before = losses.map(({ count }) => count)
  const lost = () => Math.max(...losses.map(({ count }, link) => count - before[link]!))
  await eventually(say('two attempts to deliver', '配達を2回試みる'), lost, (count) => count >= 2)
  for (const loss of losses) loss.stop()
  when(
    'dark_mode = true was delivered at least twice, each time without a reply; then replies came through again',
    'dark_mode = trueの配達が2回以上試みられ、応答は毎回失われた。その後、応答が届くようになった',
  )
  await settled(pair)
  const label = say(
    'changes of dark_mode in setting_changes of pg-2',
    'pg-2のsetting_changesにあるdark_modeの変更',
  )
  expect(await recorded('dark_mode'), label).toEqual(['dark_mode=true'])
})

test(say('the order is kept', '順番が保たれる'), async ({ random }) => {
  const { server1, to1, to2 } = pair
  for (const link of [to1, to2]) link.cut()
  when(
    'the links are cut; server-1 gets 20 changes one after another',
    '通信が切れている間に、server-1で20件の変更を順に行った',
  )
  const made: string[] = []
  for (let i = 1; i <= 20; i++) {
    const key = `step_${random.pick(['a', 'b', 'c'])}`
    await change(server1, key, i)
    made.push(`${key}=${i}`)
  }
  await heal(pair)
  when(
    '20 changes were made one after another while the links were cut; then the links were whole again',
    '通信が切れている間に20件の変更を順に行い、その後、通信が元に戻った',
  )
  await settled(pair)
  const label = say(
    'changes in setting_changes of pg-2, in order',
    'pg-2のsetting_changesにある変更（記録順）',
  )
  expect(await recorded('step_'), label, { hint: 2 }).toEqual(made)
})
