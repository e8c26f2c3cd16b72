import { beforeAll, eventually, expect, say, test, when, type Database } from '#harness'
import type { Cluster } from '../../labs/08-automatic-failover/tests/cluster.ts'
import {
  expectUntouched,
  published,
  quiet,
  replaced,
  type Topology,
} from '../../labs/08-automatic-failover/tests/looks.ts'
import { insert, rowsOf, streams } from '../../labs/08-automatic-failover/tests/rows.ts'
import { oneCandidate } from '../../labs/08-automatic-failover/tests/whole.ts'

let cluster: Cluster
/** Every message of the channel, and whether the primary that it named took writes when it came. */
const messages: { epoch: number; primary: string; writable: Promise<boolean> }[] = []

beforeAll(async ({ random }) => {
  cluster = await oneCandidate(random)
  for (const node of cluster.nodes) lines.set(node.name, node.view(cluster.db).client())
  const subscriber = cluster.redis.connect()
  subscriber.on('message', (_channel, text) => {
    const { epoch, primary } = JSON.parse(text) as Topology
    messages.push({ epoch, primary: primary.name, writable: takesWrites(primary.name) })
  })
  await subscriber.subscribe('pg:topology')
})

/** Connections that stand: a new one would take as long as a promotion. */
const lines = new Map<string, Promise<Line>>()
type Line = Awaited<ReturnType<Database['client']>>

/** False only where the node itself says so: one that is dead by now can't be asked any more. */
async function takesWrites(name: string): Promise<boolean> {
  const answer = (await lines.get(name))?.query('SELECT pg_is_in_recovery() AS standby')
  return (
    answer === undefined ||
    answer.then(
      ({ rows }) => rows[0].standby !== true,
      () => true,
    )
  )
}

test(say('in peace nothing is written', '平時は何も書き換えない'), async () => {
  const since = await Promise.all(cluster.nodes.map((node) => node.marker()))
  when('nothing happens, for 10 checks', 'チェック10回のあいだ、何も起きない')
  await quiet(cluster, 10)
  const written = await Promise.all(
    cluster.nodes.map((node, i) => node.statements({ text: /alter\s+system/i }, since[i]!)),
  )
  expect(
    written.flat().map(({ text }) => text),
    say('ALTER SYSTEM in the logs', 'ログのALTER SYSTEM'),
  ).toEqual([])
})

test(say('a replica goes and comes', 'レプリカがいなくなり、戻る'), async () => {
  const { primary, a, b } = cluster
  when('a replica is killed', 'レプリカを一台強制終了する')
  await b.kill({ forGood: true })
  await published(cluster, primary, [a])
  await expectUntouched(cluster)
  when('it is started', 'それを起動する')
  await b.start()
  await published(cluster)
  await expectUntouched(cluster)
})

test(say('whoever was away is re-pointed later', '見えなかったものは、あとでつなぎ替える'), async () => {
  const { primary, a, b, controllers, reach } = cluster
  // Nobody can be asked but the other one: it is the one to promote.
  const links = controllers.map(({ name }) => reach.link(name, b.name))
  when(
    'the controllers lose one replica from sight, and the primary is killed',
    'コントローラーからレプリカ一台が見えなくなり、プライマリを強制終了する',
  )
  for (const link of links) link.cut()
  // A longer way to the one that is promoted: who publishes it first and promotes it then is seen to do so.
  for (const { name } of controllers) reach.link(name, a.name).delay(15)
  await primary.kill({ forGood: true })
  const next = await replaced(cluster)
  expect(next.name, say('the new primary', '新しいプライマリ')).toBe(a.name)
  when('the links are open again', 'リンクが元に戻る')
  await reach.heal()
  await streams(b, a)
  await insert(a, 'after')
  await eventually(say(`a new row on ${b.name}`, `${b.name}に新しい行がある`), () => rowsOf(b, 'after'), 1)
  await published(cluster, a, [b])
})

test(say('alone', '一台だけになる'), async () => {
  const { a, b } = cluster
  when('the last replica is killed', '最後のレプリカを強制終了する')
  await b.kill({ forGood: true })
  await published(cluster, a, [])
})

test(say('every message was newer, and true', 'どの知らせも前より新しく、正しい'), async () => {
  const epochs = messages.map(({ epoch }) => epoch)
  expect(epochs.length, say('messages', '知らせの数')).toBeGreaterThan(0)
  expect(epochs, say('epochs in the order of arrival', '届いた順のepoch')).toEqual(
    [...new Set(epochs)].toSorted((x, y) => x - y),
  )
  for (const { primary, writable } of messages) {
    expect(
      await writable,
      say(`${primary} took writes when it was named`, `名前が出たとき${primary}は書き込めた`),
      {
        hint: 3,
      },
    ).toBe(true)
  }
})
