import { beforeAll, eventually, expect, say, test, when } from '#harness'
import { sees } from './health.ts'
import { lastUseOf, watchingPair } from './lent.ts'
import type { Pair } from './pair.ts'
import { arrives, change, drained, pendingOf, valueIn } from './settings.ts'

let pair: Pair

beforeAll(async () => {
  pair = await watchingPair()
  lastUseOf('watching', pair)
  await Promise.all([sees(pair.server1, 'healthy'), sees(pair.server2, 'healthy')])
})

const at = (server: string, database: string) =>
  say(
    `${server}'s change in ${database}, directly after the 200`,
    `200の直後に${database}にある${server}の変更`,
  )

test(say('a change reaches the other server', '変更がもう一方のサーバーに届く'), async () => {
  const { server1, server2, db1, db2 } = pair
  when('server-1 gets PUT maintenance_mode = true', 'server-1がPUT maintenance_mode = trueを受けた')
  await change(server1, 'maintenance_mode', true)
  expect(await valueIn(db1, 'maintenance_mode'), at('server-1', 'pg-1')).toBe(true)
  await arrives(db2, 'maintenance_mode', true)

  when('server-2 gets PUT banner = "sale"', 'server-2がPUT banner = "sale"を受けた')
  await change(server2, 'banner', 'sale')
  expect(await valueIn(db2, 'banner'), at('server-2', 'pg-2')).toBe('sale')
  await arrives(db1, 'banner', 'sale')
  const settings = { maintenance_mode: true, banner: 'sale' }
  for (const server of [server1, server2])
    expect(await server.get('/api/global-settings')).toAnswer(200, { settings })
})

test(say('a change waits for a server that is down', '落ちているサーバーへの変更は待っている'), async () => {
  const { server1, server2, db2 } = pair
  await drained(pair)
  await server2.kill()
  await sees(server1, 'unreachable')
  when(
    'server-2 is killed and server-1 has noticed; server-1 gets color = "red", then "blue"',
    'server-2を強制終了し、server-1がそれに気づいた後で、server-1のcolorを"red"、続けて"blue"に変更した',
  )
  await change(server1, 'color', 'red')
  await change(server1, 'color', 'blue')
  // Who queues a change after the answer may need a moment.
  const pending = say('totals.pendingSyncs of server-1 is 2', 'server-1のtotals.pendingSyncsが2になる')
  await eventually(pending, () => pendingOf(server1), 2, { hint: 2 })

  await server2.start()
  when('server-2 is started again', 'server-2を再起動した')
  await arrives(db2, 'color', 'blue', 2)
  const empty = say('pendingSyncs of server-1 goes back to 0', 'server-1のpendingSyncsが0に戻る')
  await eventually(empty, () => pendingOf(server1), 0, { hint: 2 })
})

test(say('an answer does not wait for the peer', '応答は相手を待たない'), async () => {
  const { server1, server2, db2 } = pair
  await server2.freeze()
  when(
    'server-2 is frozen (PEER_TIMEOUT_MS=5000); server-1 gets PUT color = "green"',
    'server-2が凍りつき（PEER_TIMEOUT_MS=5000）、server-1のcolorを"green"に変更した',
  )
  await change(server1, 'color', 'green', 2500)
  await server2.thaw()
  when('server-2 goes on', 'server-2が動き出した')
  await arrives(db2, 'color', 'green')
})
