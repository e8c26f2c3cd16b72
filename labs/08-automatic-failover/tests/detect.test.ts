import { beforeAll, eventually, say, test, when } from '#harness'
import type { Cluster } from './cluster.ts'
import { declared, expectPeace, leaderOf, missed, quiet } from './looks.ts'
import { watchedCluster } from './whole.ts'

let cluster: Cluster

beforeAll(async ({ random }) => {
  cluster = await watchedCluster(random)
})

// #region blip
test(say('one lost check decides nothing', '一回の失敗では何も決まらない'), async () => {
  const { primary, controllers, reach } = cluster
  const links = controllers.map(({ name }) => reach.link(name, primary.name))
  when(
    'every controller loses its connection to the primary, and the next one is refused',
    '全コントローラーの、プライマリへの接続が切れ、次の接続も断られる',
  )
  const before = links.map((link) => link.counts)
  for (const link of links) link.reset({ next: 1 })
  await eventually(
    say('each was turned away once', 'それぞれが一回断られた'),
    () => links.map((link, i) => link.since(before[i]!).rejected),
    (rejected) => rejected.every((n) => n >= 1),
  )
  await quiet(cluster, 5)
  await expectPeace(cluster, 2)
})
// #endregion blip

// #region isolation
test(say('one that sees nothing is not a majority', '一台だけ見えなくても多数ではない'), async () => {
  const { primary, reach } = cluster
  const leader = await leaderOf(cluster)
  when(`the leader's link to the primary is cut`, 'リーダーからプライマリへのリンクを切る')
  const link = reach.link(leader.name, primary.name)
  link.cut()
  await missed(leader, primary, 6)
  await quiet(cluster, 2)
  await expectPeace(cluster, 2)
  await link.open()
  await missed(leader, primary, 0)
})
// #endregion isolation

// #region death
test(say('dead is dead', '死んだものは死んだと分かる'), async () => {
  when('the primary is killed', 'プライマリを強制終了する')
  await cluster.primary.kill({ forGood: true })
  await declared(cluster, cluster.primary)
})
// #endregion death
