import { beforeAll, burst, closedPort, eventually, expect, say, test, when } from '#harness'
import { openCluster, type Cluster } from '../../labs/08-automatic-failover/tests/cluster.ts'
import { leaderOf, published, replaced, topologyOf } from '../../labs/08-automatic-failover/tests/looks.ts'
import {
  expectInTime,
  newOrder,
  startService,
  type Service,
} from '../../labs/08-automatic-failover/tests/orders.ts'

let cluster: Cluster
let one: Service
let two: Service

beforeAll(async ({ random }) => {
  cluster = await openCluster(random, { start: false })
  ;[one, two] = await Promise.all([startService(cluster, 'server-1'), startService(cluster, 'server-2')])
})

const accepts = async ({ server }: Service): Promise<void> => {
  await eventually(
    say(`${server.name} takes an order`, `${server.name}が注文を受ける`),
    async () => {
      const answer = await server.post('/orders', newOrder())
      expectInTime(answer, server)
      return answer.status
    },
    201,
    { within: 8000 },
  )
}

test(say('before anything is published', '何も公開されていないとき'), async () => {
  when('nobody has published a topology: POST /orders', 'トポロジーがまだない。POST /orders')
  const answer = await one.server.post('/orders', newOrder())
  expect(answer).toAnswer(503, { error: 'database_unavailable' })
  expectInTime(answer, one.server)
  when('the controllers start', 'コントローラーが起動する')
  await Promise.all(cluster.controllers.map((controller) => controller.start()))
  await published(cluster)
  await Promise.all([one, two].map(accepts))
})

test(say('without Redis, in peace', '平時にRedisがなくなる'), async () => {
  when('Redis is frozen: POST /orders', 'Redisを凍結する。POST /orders')
  await cluster.redis.freeze()
  for (const { server } of [one, two]) expect(await server.post('/orders', newOrder())).toAnswer(201)
  await cluster.redis.thaw()
  await leaderOf(cluster)
})

test(say('yesterday’s news', '昨日の知らせ'), async () => {
  const known = (await topologyOf(cluster))!
  const nowhere = `postgres://app@127.0.0.1:${await closedPort()}/postgres`
  const stale = { ...known, epoch: known.epoch - 1, primary: { ...known.primary, url: nowhere } }
  when(
    'a message with a lower epoch names an address at which nobody lives',
    'epochの低い知らせが、誰もいない住所を示す',
  )
  const message = JSON.stringify(stale)
  const before = [one, two].map(({ toRedis }) => toRedis.counts.bytesDown)
  await cluster.redis.client.publish('pg:topology', message)
  await eventually(
    say('both have been told', '両方に届いた'),
    () => [one, two].map(({ toRedis }, i) => toRedis.counts.bytesDown - before[i]!),
    (bytes) => bytes.every((n) => n >= message.length),
  )
  for (let i = 0; i < 4; i++) {
    for (const { server } of [one, two]) expect(await server.post('/orders', newOrder())).toAnswer(201)
  }
})

test(say('one sleeps, one misses the message', '一台は眠り、もう一台は知らせを聞き逃す'), async () => {
  const { primary } = cluster
  two.toRedis.cut()
  when(
    'the primary is frozen, server-2 is cut off from Redis, and 10 orders come at once',
    'プライマリを凍結し、server-2をRedisから切り離す。注文が10件同時に来る',
  )
  await primary.freeze()
  const { done } = burst(10, (i) => (i % 2 ? one : two).server.post('/orders', newOrder(), { within: 3000 }))
  for (const answer of await done) {
    // The last ones may meet the new primary already.
    expect(answer, say('an order while the primary sleeps', 'プライマリが眠る間の注文')).toAnswer([503, 201])
    expectInTime(answer, one.server)
  }
  await replaced(cluster)
  await accepts(one)
  when(
    'server-2 reaches Redis again; nothing else changes',
    'server-2がRedisに再び届く。ほかは何も変わらない',
  )
  await two.toRedis.open()
  await accepts(two)
})

test(say('nobody looks back', '誰も振り返らない'), async () => {
  const { epoch, primary } = (await topologyOf(cluster))!
  for (const { server } of [one, two]) {
    await eventually(
      say(`${server.name} knows the primary`, `${server.name}がプライマリを知っている`),
      async () => (await server.get('/status')).body,
      (status) => status?.primary === primary.name && status.epoch >= epoch - 1,
    )
    expect(await server.get('/health')).toAnswer(200, { status: 'ok' })
  }
  const node = cluster.nodes.find(({ name }) => name === primary.name)!
  const rows = await node.sql(
    "SELECT DISTINCT application_name AS name FROM pg_stat_activity WHERE usename = 'app' ORDER BY 1",
  )
  expect(
    rows.map(({ name }) => name),
    say('servers on the new primary', '新しいプライマリにいるサーバー'),
  ).toEqual(['server-1', 'server-2'])
})

test(say('SIGTERM ends a server in order', 'SIGTERMでサーバーが正常に終わる'), async () => {
  when('server-1 gets SIGTERM', 'server-1がSIGTERMを受け取る')
  expect((await one.server.stop()).code, say('exit status', '終了コード')).toBe(0)
})
