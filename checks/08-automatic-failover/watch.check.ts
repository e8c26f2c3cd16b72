import { beforeAll, expect, say, test, when, type StartedRole } from '#harness'
import type { Cluster } from '../../labs/08-automatic-failover/tests/cluster.ts'
import {
  expectUntouched,
  leaderless,
  leaderOf,
  published,
  quiet,
  topologyOf,
} from '../../labs/08-automatic-failover/tests/looks.ts'
import { watchedCluster } from '../../labs/08-automatic-failover/tests/whole.ts'

let cluster: Cluster

beforeAll(async ({ random }) => {
  cluster = await watchedCluster(random)
})

const others = (leader: StartedRole) => ({
  controllers: cluster.controllers.filter((controller) => controller !== leader),
})

const unchanged = async (): Promise<void> => {
  await published(cluster)
  await expectUntouched(cluster)
}

test(
  say('controllers that are there before any database', 'データベースより先に動き出すコントローラー'),
  async () => {
    const { nodes, controllers, redis } = cluster
    await Promise.all([
      ...controllers.map((controller) => controller.kill()),
      ...nodes.map((node) => node.kill({ forGood: true })),
    ])
    await redis.client.flushall()
    when(
      'three controllers start while no database runs',
      'データベースが一つも動いていないときに、コントローラーを三台起動する',
    )
    await Promise.all(controllers.map((controller) => controller.start()))
    await quiet(cluster, 3)
    expect(await topologyOf(cluster), say('pg:topology', 'pg:topology')).toBeNull()
    when(
      'the databases start; the primary is not the first in NODES',
      'データベースを起動する。プライマリはNODESの先頭ではない',
    )
    await Promise.all(nodes.map((node) => node.start()))
    await published(cluster)
  },
)

test(say('the leader dies', 'リーダーが死ぬ'), async () => {
  const leader = await leaderOf(cluster)
  when('the leader is killed', 'リーダーを強制終了する')
  await leader.kill()
  await leaderOf(others(leader))
  await quiet(others(leader), 3)
  await leader.start()
  await quiet(cluster, 2)
  await unchanged()
})

test(say('the leader sleeps', 'リーダーが眠る'), async () => {
  const leader = await leaderOf(cluster)
  when(
    'the leader is frozen until another one leads, and thawed',
    'リーダーを、別の一台が率いるまで凍結し、解凍する',
  )
  await leader.freeze()
  await leaderOf(others(leader))
  await leader.thaw()
  await quiet(cluster, 5)
  await leaderOf(cluster)
  await unchanged()
})

test(say('all of them are started anew', '全員が再起動する'), async () => {
  const { epoch } = (await topologyOf(cluster))!
  when('all controllers are killed and started', 'すべてのコントローラーを強制終了し、起動する')
  await Promise.all(cluster.controllers.map((controller) => controller.restart()))
  await leaderOf(cluster)
  await quiet(cluster, 3)
  expect((await topologyOf(cluster))?.epoch, say('epoch', 'epoch')).toBeGreaterThanOrEqual(epoch)
  await unchanged()
})

test(
  say('without Redis nobody leads, and the checks go on', 'Redisがなければ誰も率いず、チェックは続く'),
  async () => {
    when('Redis is frozen', 'Redisを凍結する')
    await cluster.redis.freeze()
    await leaderless(cluster)
    await quiet(cluster, 4)
    await expectUntouched(cluster)
    when('Redis is thawed', 'Redisを解凍する')
    await cluster.redis.thaw()
    await leaderOf(cluster)
    await unchanged()
  },
)

test(say('SIGTERM ends a controller in order', 'SIGTERMでコントローラーが正常に終わる'), async () => {
  const [controller] = cluster.controllers as [StartedRole, ...StartedRole[]]
  when(`${controller.name} gets SIGTERM`, `${controller.name}がSIGTERMを受け取る`)
  expect((await controller.stop()).code, say('exit status', '終了コード')).toBe(0)
  await leaderOf(others(controller))
})
