import { beforeAll, expect, say, test, when } from '#harness'
import type { Cluster } from '../../labs/08-automatic-failover/tests/cluster.ts'
import {
  declared,
  expectPeace,
  fenced,
  leaderless,
  leaderOf,
  missed,
  quiet,
  statusOf,
} from '../../labs/08-automatic-failover/tests/looks.ts'
import { wholeCluster } from '../../labs/08-automatic-failover/tests/whole.ts'

let cluster: Cluster

beforeAll(async ({ random }) => {
  cluster = await wholeCluster('to be frozen', random)
})

test(say('a follower that sees nothing', '何も見えないフォロワー'), async () => {
  const { primary, controllers, reach } = cluster
  const leader = await leaderOf(cluster)
  const follower = controllers.find((controller) => controller !== leader)!
  when(`a follower's link to the primary is cut`, 'フォロワーからプライマリへのリンクを切る')
  const link = reach.link(follower.name, primary.name)
  link.cut()
  await missed(follower, primary, 6)
  await quiet(cluster, 2)
  await expectPeace(cluster)
  await link.open()
  await missed(follower, primary, 0)
})

test(say('slow is not dead', '遅いのは死ではない'), async () => {
  const { primary, controllers, reach } = cluster
  const links = controllers.map(({ name }) => reach.link(name, primary.name))
  when('every link to the primary is 10 ms longer each way', 'プライマリへの全リンクを片道10ms遅くする')
  for (const link of links) link.delay(10)
  await quiet(cluster, 6)
  await expectPeace(cluster)
  await Promise.all(links.map((link) => link.open()))
})

test(
  say('without Redis nothing is decided; silence counts', 'Redisなしでは決めない。無応答も失敗に数える'),
  async () => {
    const { primary, controllers, redis } = cluster
    when(
      'Redis is frozen; when nobody leads any more, the primary, too',
      'Redisを凍結する。誰も率いなくなったら、プライマリも凍結する',
    )
    await redis.freeze()
    // Until its time is up a leader may act on what it knows.
    await leaderless(cluster)
    await primary.freeze()
    for (const controller of controllers) await missed(controller, primary, 3)
    await quiet(cluster, 3)
    expect(
      (await Promise.all(controllers.map(statusOf))).map(({ declaredDown }) => declaredDown),
      say('declaredDown of the controllers', 'コントローラーのdeclaredDown'),
    ).toEqual([null, null, null])
    expect(fenced(cluster), say('fenced nodes', '隔離されたノード')).toEqual([])
    when('Redis is thawed; the primary is not', 'Redisだけを解凍する')
    await redis.thaw()
    await declared(cluster, primary)
  },
)
