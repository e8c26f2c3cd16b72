import { eventually, expect, lsn, say, test, throughout, when, type StartedPostgres } from '#harness'
import type { Cluster } from '../../labs/08-automatic-failover/tests/cluster.ts'
import {
  fenced,
  leaderOf,
  missed,
  quiet,
  replaced,
  topologyOf,
  writable,
} from '../../labs/08-automatic-failover/tests/looks.ts'
import { blockedFor } from '../../labs/08-automatic-failover/tests/losing.ts'
import { insert, partFrom, received, rowsOf } from '../../labs/08-automatic-failover/tests/rows.ts'
import { oneCandidate } from '../../labs/08-automatic-failover/tests/whole.ts'
import { nextLength, padTo } from './positions.ts'

/** Row 'two' reaches a, and not b any more. */
async function onlyToA(cluster: Cluster, between: () => Promise<void> = async () => {}): Promise<void> {
  const { primary, a, b } = cluster
  await insert(primary, 'one')
  await Promise.all([received(primary, a), received(primary, b)])
  await partFrom(cluster, primary, b)
  await between()
  await insert(primary, 'two')
  await received(primary, a)
}

async function receivedBy(node: StartedPostgres): Promise<string> {
  const [row] = await node.sql('SELECT pg_last_wal_receive_lsn()::text AS lsn')
  return String(row?.lsn)
}

async function expectA({ a }: Cluster, next: { name: string }, hint?: 3): Promise<void> {
  expect(next.name, say('the new primary', '新しいプライマリ'), { hint }).toBe(a.name)
  for (const item of ['one', 'two'])
    expect(await rowsOf(a, item), say(`row ${item} on it`, `そこにある行${item}`), { hint }).toBe(1)
}

test(say('positions are numbers', '位置は数である'), async ({ random }) => {
  const cluster = await oneCandidate(random)
  const { primary, a, b } = cluster
  const longer = await nextLength(primary)
  await padTo(primary, longer, 'before')
  await onlyToA(cluster, () => padTo(primary, longer, 'behind'))
  const [here, there] = await Promise.all([b, a].map(receivedBy))
  if (here! <= there! || lsn(here) >= lsn(there))
    throw new Error(
      `${b.name} stands at ${here}, ${a.name} at ${there}: as text it is no longer the other way round`,
    )
  when(
    `one replica stands at ${here}, the other, further on, at ${there}; the primary is killed`,
    `一方のレプリカは${here}、先まで受け取った他方は${there}。プライマリを強制終了する`,
  )
  await primary.kill({ forGood: true })
  await expectA(cluster, await replaced(cluster))
})

test(
  say('a replica that was restarted, and stands still', '再起動し、再生を止めたレプリカ'),
  async ({ random }) => {
    const cluster = await oneCandidate(random)
    const { primary, a, controllers } = cluster
    await onlyToA(cluster)
    const end = lsn(await primary.position())
    await Promise.all(controllers.map((controller) => controller.freeze()))
    await primary.kill({ forGood: true })
    when(
      `the primary is dead, and the controllers are frozen; ${a.name}, which has more, is restarted and its replay paused`,
      `プライマリは死に、コントローラーは凍結中。多く受け取った${a.name}を再起動し、再生を止める`,
    )
    await a.kill({ forGood: true })
    await a.start()
    const replayed = async () => lsn((await a.sql('SELECT pg_last_wal_replay_lsn()::text AS lsn'))[0]?.lsn)
    await eventually(
      say(`${a.name} has replayed what it had`, `${a.name}が持っていた分を再生し終える`),
      async () => (await replayed()) >= end,
    )
    await a.pauseReplay()
    await Promise.all(controllers.map((controller) => controller.thaw()))
    await expectA(cluster, await replaced(cluster, primary, 3), 3)
  },
)

test(
  say('no fence, no promotion; whoever finishes it', '隔離なしに昇格なし。誰が仕上げても'),
  async ({ random }) => {
    const cluster = await oneCandidate(random)
    const { primary, power } = cluster
    power.refuse('fence')
    when(
      'the device refuses every fence, and the primary is killed',
      '電源装置が隔離を断り続ける中、プライマリを強制終了する',
    )
    await primary.kill({ forGood: true })
    await blockedFor(cluster, 'fence_failed')
    await eventually(
      say('5 attempts at the fence', '隔離の試み5回'),
      () => power.asked('fence').length,
      (n) => n >= 5,
      { within: 15_000 },
    )
    expect(await writable(cluster), say('writable nodes', '書き込めるノード')).toEqual([])

    when(
      'the device obeys, its answer takes long, and the leader is killed',
      '電源装置は従うが答えが遅い。そこでリーダーを強制終了する',
    )
    power.hold()
    power.refuse('fence', 0)
    await eventually(
      say('a fence that was done', '実行された隔離'),
      () => power.asked('fence').some(({ status }) => status === 204),
      true,
      { within: 10_000 },
    )
    const leader = await leaderOf(cluster)
    await leader.kill()
    power.release()
    const next = await replaced(cluster)
    await quiet({ controllers: cluster.controllers.filter((controller) => controller !== leader) }, 4)
    expect(await writable(cluster), say('writable nodes', '書き込めるノード')).toEqual([next.name])
  },
)

test(say('a leader that slept through it', '眠っていて気づかなかったリーダー'), async ({ random }) => {
  const cluster = await oneCandidate(random)
  const { primary, controllers } = cluster
  const leader = await leaderOf(cluster)
  when(
    'the leader is frozen, the primary killed; another leader promotes, and the first one is thawed',
    'リーダーを凍結し、プライマリを強制終了する。別のリーダーが昇格させたあと、最初のリーダーを解凍する',
  )
  await leader.freeze()
  await primary.kill({ forGood: true })
  const next = await replaced(cluster)
  // It did sleep through it: somebody else leads.
  await leaderOf({ controllers: controllers.filter((controller) => controller !== leader) })
  await leader.thaw()
  await quiet(cluster, 6)
  expect(await writable(cluster), say('writable nodes', '書き込めるノード')).toEqual([next.name])
  expect(
    (await topologyOf(cluster))?.primary.name,
    say('the primary in pg:topology', 'pg:topologyのプライマリ'),
  ).toBe(next.name)
  expect(fenced(cluster), say('fenced nodes', '隔離されたノード')).toEqual([primary.name])
})

test(
  say('never two, even when two observers are wrong', '二台の観測者が間違えても、二台は書けない'),
  async ({ random }) => {
    const cluster = await oneCandidate(random)
    const { primary, controllers, power, reach } = cluster
    const leader = await leaderOf(cluster)
    const blind = [leader, controllers.find((controller) => controller !== leader)!]
    when(
      'two controllers lose their links to a primary that lives',
      '生きているプライマリへのリンクを、二台のコントローラーが失う',
    )
    await throughout(
      say('at most one writable node', '書き込めるノードは多くても一台'),
      // Asked one after the other they might both say so, one before and one after a promotion: then a second time.
      async () => ((await writable(cluster)).length > 1 ? writable(cluster) : []),
      (both) => both.length < 2,
      async () => {
        reach.isolate(
          blind.map(({ name }) => name),
          { from: primary.name },
        )
        for (const controller of blind) await missed(controller, primary, 3)
        await quiet(cluster, 12)
      },
      { every: 20 },
    )
    // There may be none: two blind observers need not be believed.
    const first = power.asked('fence').find(({ node }) => node === primary.name)
    expect(
      first?.writable ?? [],
      say(
        'nodes already writable when the fence was asked for',
        '隔離を求めた時点で、すでに書き込めたノード',
      ),
    ).toEqual([])
    // The next one to use the cluster must not meet a failover that is half done.
    if (first?.status === 204) await replaced(cluster)
  },
)
