import { beforeAll, expect, say, test, when } from '#harness'
import { expectAgreement } from './agreement.ts'
import { quietPair } from './lent.ts'
import { heal, type Pair } from './pair.ts'
import { change, drained, valueIn } from './settings.ts'

let pair: Pair

beforeAll(async () => {
  pair = await quietPair()
})

test(say('both changed it at the same time', '両方で同時に変更された'), async () => {
  const { server1, server2, db1, to1, to2 } = pair
  for (const link of [to1, to2]) link.cut()
  when(
    'the links are cut; server-1 gets theme = "one", server-2 theme = "two"',
    '通信が切れている間に、server-1のthemeを"one"、server-2のthemeを"two"に変更した',
  )
  await Promise.all([change(server1, 'theme', 'one'), change(server2, 'theme', 'two')])
  await heal(pair)
  when(
    'while the links were cut, server-1 got theme = "one" and server-2 theme = "two"; then all was delivered',
    '通信が切れている間にserver-1のthemeを"one"、server-2のthemeを"two"に変更し、その後すべてが届いた',
  )
  await drained(pair)
  await expectAgreement(pair)
  const label = say('one of the two values of theme', 'themeは2つの値のどちらか')
  expect(['one', 'two'], label).toContain(await valueIn(db1, 'theme'))
})

test(say('the later change wins', '後からの変更が勝つ'), async () => {
  const { server1, server2, db1, db2 } = pair
  when('server-1 gets five changes of color', 'server-1のcolorを5回変更した')
  for (let i = 1; i <= 5; i++) await change(server1, 'color', `red ${i}`)
  await drained(pair)
  await change(server2, 'color', 'blue')
  await drained(pair)
  when(
    'server-1 changed color five times and all was delivered; then server-2 got color = "blue"',
    'server-1のcolorを5回変更してすべて届いたあと、server-2のcolorを"blue"に変更した',
  )
  const label = say('color in pg-1 and pg-2', 'pg-1とpg-2のcolor')
  const values = [await valueIn(db1, 'color'), await valueIn(db2, 'color')]
  expect(values, label, { hint: 2 }).toEqual(['blue', 'blue'])
})
