import { beforeAll, eventually, expect, lsn, say, test, when, type StartedPostgres } from '#harness'
import type { Cluster } from '../../labs/08-automatic-failover/tests/cluster.ts'
import {
  leaderOf,
  LOOK_MS,
  published,
  replaced,
  topologyOf,
  writable,
} from '../../labs/08-automatic-failover/tests/looks.ts'
import { insert, rowsOf } from '../../labs/08-automatic-failover/tests/rows.ts'
import { bothCandidates } from '../../labs/08-automatic-failover/tests/whole.ts'

let cluster: Cluster
let first: StartedPostgres
let second: StartedPostgres
let third: StartedPostgres
/** Of the first primary. */
let reign: number
/** Names of primaries in the messages, in order. */
const named: string[] = []

beforeAll(async ({ random }) => {
  cluster = await bothCandidates(random)
  first = cluster.primary
  reign = await timelineOf(first)
  const subscriber = cluster.redis.connect()
  subscriber.on('message', (_channel, text) => named.push(JSON.parse(text).primary.name))
  await subscriber.subscribe('pg:topology')
})

async function timelineOf(node: StartedPostgres): Promise<number> {
  const [row] = await node.sql('SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8) AS timeline')
  return Number.parseInt(String(row?.timeline), 16)
}

const except = (...nodes: StartedPostgres[]) => cluster.nodes.filter((node) => !nodes.includes(node))

/** Calls of this kind, from here on. */
function calls(verb: 'fence' | 'reseed', since: number) {
  return cluster.power.calls.slice(since).filter((call) => call.verb === verb)
}

/** Proof that the one has more WAL than the other, if it can still be asked. */
async function expectFurther(one: StartedPostgres, other: StartedPostgres): Promise<void> {
  const ahead = await one.position().then(
    async (position) => lsn(position) - lsn(await other.position()),
    () => undefined,
  )
  if (ahead !== undefined && ahead < 1_000_000n)
    throw new Error(`${one.name} is ${ahead} bytes ahead of ${other.name}: too little to be tempting`)
}

test(say('more WAL is not more right', 'WALが長くても正しいとは限らない'), async () => {
  const { power, reach, controllers } = cluster
  await first.kill({ forGood: true })
  second = await replaced(cluster)
  third = except(first, second)[0]!
  await published(cluster, second, [third])
  const links = controllers.map(({ name }) => reach.link(name, first.name))
  for (const link of links) link.cut()
  // A design that did not wait for its return may have reseeded it, or may fence it at any moment.
  await first.start().catch(() => {})
  const isPrimary = await first.inRecovery().then(
    (standby) => !standby,
    () => false,
  )
  if (isPrimary) {
    const write = async (): Promise<void> => {
      await insert(first, 'rogue')
      await first.sql("SELECT pg_logical_emit_message(true, 'test', repeat('x', 2000000))")
    }
    const wrote = await write().then(
      () => true,
      () => false,
    )
    if (wrote) await expectFurther(first, second)
  }
  const since = power.calls.length
  power.refuse('reseed', 1)
  when(
    'the old primary is back with 2 MB more WAL than the new one, and the controllers see it; the first reseed fails',
    '新しいプライマリより2MB長いWALを持つ古いプライマリが戻り、コントローラーから見えるようになる。最初の作り直しは失敗する',
  )
  await Promise.all(links.map((link) => link.open()))
  await published(cluster, second, except(second), { within: 20_000 })
  // The old one need not be among them: it may have been fenced and reseeded before.
  const fenced = calls('fence', since).map(({ node }) => node)
  expect(
    fenced.filter((name) => name !== first.name),
    say(`fenced nodes, ${first.name} left out`, `隔離されたノード（${first.name}を除く）`),
  ).toEqual([])
  const done = power.calls.findLast(({ verb, status }) => verb === 'reseed' && status === 204)
  expect(done?.node, say('the node that was reseeded', '作り直されたノード')).toBe(first.name)
  const before = power.calls.slice(0, done ? power.calls.indexOf(done) : 0)
  expect(
    before.some(({ verb, node, status }) => verb === 'fence' && node === first.name && status === 204),
    say('it was fenced before that', 'その前に隔離された'),
  ).toBe(true)
  expect(
    before.some(({ verb, status }) => verb === 'reseed' && status === 503),
    say('a reseed that failed before that', 'その前に失敗した作り直し'),
  ).toBe(true)
  expect(await writable(cluster), say('writable nodes', '書き込めるノード')).toEqual([second.name])
  for (const node of cluster.nodes)
    expect(await rowsOf(node, 'rogue'), say(`stray rows on ${node.name}`, `${node.name}のはぐれた行`)).toBe(0)
})

test(say('and once more', 'もう一度'), async () => {
  const { power } = cluster
  when('the second primary is killed', '二台目のプライマリを強制終了する')
  await second.kill({ forGood: true })
  const now = await replaced(cluster, second)
  const rest = except(now, second)
  for (const node of rest) {
    // The second one may be there as well: a design need not wait for its return.
    await eventually(
      say(`${node.name} in replicas`, `replicasにある${node.name}`),
      async () => (await topologyOf(cluster))?.replicas.map(({ name }) => name) ?? [],
      (names) => names.includes(node.name),
      { within: 10_000 },
    )
  }
  expect(await timelineOf(now), say('timeline', 'タイムライン')).toBe(reign + 2)
  await insert(now, 'three')
  for (const node of rest)
    await eventually(say(`the row on ${node.name}`, `${node.name}の行`), () => rowsOf(node, 'three'), 1)

  const since = power.calls.length
  power.hold()
  when(
    'the second one is powered on, too; the leader is killed when it has been fenced',
    '二台目の電源も入れる。隔離されたところでリーダーを強制終了する',
  )
  await second.start().catch(() => {})
  await eventually(
    say(
      `${second.name} is fenced, or a replica already`,
      `${second.name}が隔離されるか、すでにレプリカである`,
    ),
    async () => calls('fence', since).length > 0 || (await second.inRecovery()),
    true,
    { within: 10_000, every: LOOK_MS },
  )
  const leader = await leaderOf(cluster)
  await leader.kill()
  power.release()
  const left = { ...cluster, controllers: cluster.controllers.filter((controller) => controller !== leader) }
  await published(left, now, except(now), { within: 20_000 })
  expect(await writable(cluster), say('writable nodes', '書き込めるノード')).toEqual([now.name])
  const changes = named.filter((name, i) => name !== named[i - 1])
  if (changes[0] === first.name) changes.shift() // told before the first change
  expect(changes, say('primaries in the messages', '知らせに出たプライマリ')).toEqual([second.name, now.name])
})
