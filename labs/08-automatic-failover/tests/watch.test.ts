import { beforeAll, eventually, expect, say, test, when } from '#harness'
import type { Cluster } from './cluster.ts'
import { leaderOf, statusOf, topologyOf } from './looks.ts'
import { watchedCluster } from './whole.ts'

let cluster: Cluster

beforeAll(async ({ random }) => {
  cluster = await watchedCluster(random)
})

// #region watch
test(say('what is there is published, and one leads', '見えたものが公開され、一台が率いる'), async () => {
  const topology = (await topologyOf(cluster))!
  expect(topology.epoch, say('epoch', 'epoch')).toBeGreaterThan(0)
  const own = cluster.nodes.find(({ name }) => name === topology.primary.name)!
  expect(
    new URL(topology.primary.url).port,
    say('port in the primary’s url', 'プライマリのurlのポート'),
  ).toBe(String(own.port))
  await leaderOf(cluster)
})

test(say('all three see the same', '三台が同じものを見る'), async () => {
  const { primary, a, b, controllers } = cluster
  const roles = { [primary.name]: 'primary', [a.name]: 'replica', [b.name]: 'replica' }
  when('GET /status of every controller', '全コントローラーのGET /status')
  for (const controller of controllers) {
    await eventually(
      say(
        `${controller.name} knows the epoch and every role`,
        `${controller.name}がepochとすべての役割を知っている`,
      ),
      async () => {
        const { epoch, nodes } = await statusOf(controller)
        const known = (await topologyOf(cluster))?.epoch
        return { epoch: epoch === known, roles: Object.fromEntries(nodes.map((n) => [n.name, n.role])) }
      },
      { epoch: true, roles },
    )
  }
})
// #endregion watch
