import { beforeAll, burst, closedPort, eventually, expect, say, test, when } from '#harness'
import type { Cluster } from '../../labs/08-automatic-failover/tests/cluster.ts'
import { leaderOf, published, replaced, topologyOf } from '../../labs/08-automatic-failover/tests/looks.ts'
import {
  expectInTime,
  newOrder,
  startService,
  takenBy,
  type Service,
} from '../../labs/08-automatic-failover/tests/orders.ts'
import { bothCandidates } from '../../labs/08-automatic-failover/tests/whole.ts'

let cluster: Cluster
let one: Service
let two: Service
/** `pg:topology`. */
let topology: string

beforeAll(async ({ random }) => {
  cluster = await bothCandidates(random, { synchronous: true })
  const { redis, controllers } = cluster
  // Nothing stands in Redis, and nobody is awake to write it.
  await Promise.all(controllers.map((controller) => controller.freeze()))
  topology = (await redis.client.getdel('pg:topology'))!
  ;[one, two] = await Promise.all([startService('server-1'), startService('server-2')])
})

const accepts = ({ server }: Service) => takenBy(server)

test(say('before anything is published', '何も公開されていないとき'), async () => {
  when('nobody has published a topology: POST /orders', 'トポロジーがまだない。POST /orders')
  const answer = await one.server.post('/orders', newOrder())
  expect(answer).toAnswer(503, { error: 'database_unavailable' })
  expectInTime(answer, one.server)
  when('a topology is published', 'トポロジーが公開される')
  const { redis, controllers } = cluster
  await redis.client.multi().set('pg:topology', topology).publish('pg:topology', topology).exec()
  await Promise.all(controllers.map((controller) => controller.thaw()))
  await published(cluster)
  await Promise.all([one, two].map(accepts))
})

test(say('without Redis, in peace', '平時にRedisがなくなる'), async () => {
  when('Redis is frozen: POST /orders', 'Redisを凍結する。POST /orders')
  await cluster.redis.freeze()
  for (const service of [one, two]) await accepts(service)
  await cluster.redis.thaw()
  await leaderOf(cluster)
})

test(say('yesterday’s news', '昨日の知らせ'), async () => {
  const known = (await topologyOf(cluster))!
  const epochOf = async ({ server }: Service): Promise<number> => (await server.get('/status')).body.epoch
  for (const service of [one, two]) {
    await eventually(
      say(`the epoch in /status of ${service.server.name}`, `${service.server.name}の/statusのepoch`),
      () => epochOf(service),
      (epoch) => epoch >= known.epoch,
    )
  }
  const nowhere = `postgres://app@127.0.0.1:${await closedPort()}/postgres`
  const stale = { ...known, epoch: known.epoch - 1, primary: { ...known.primary, url: nowhere } }
  when(
    'a message with a lower epoch names an address at which nobody lives',
    'epochの低い知らせが、誰もいないアドレスを示す',
  )
  const message = JSON.stringify(stale)
  // More than once: whoever believes it may read the key and know better before it is asked.
  for (let i = 0; i < 4; i++) {
    const before = [one, two].map(({ toRedis }) => toRedis.counts.bytesDown)
    await cluster.redis.client.publish('pg:topology', message)
    // A design that reads the key only need not hear of it: this wait can do no more than let a wrong one hear.
    const until = performance.now() + 500
    const told = () =>
      [one, two].every(({ toRedis }, n) => toRedis.counts.bytesDown - before[n]! >= message.length)
    while (!told() && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 5))
    for (const service of [one, two]) {
      const { name } = service.server
      const label = say(`the epoch in /status of ${name} after that`, `そのあとの${name}の/statusのepoch`)
      expect(await epochOf(service), label).toBeGreaterThanOrEqual(known.epoch)
    }
  }
  for (const service of [one, two]) await accepts(service)
})

test(say('one sleeps, one misses the message', '一台は眠り、もう一台は知らせを聞き逃す'), async () => {
  const { primary, power } = cluster
  two.toRedis.cut()
  // It stays frozen, and nobody else becomes the primary, until all have their answer.
  power.refuse('fence')
  when(
    'the primary is frozen, server-2 is cut off from Redis, and 10 orders come at once',
    'プライマリを凍結し、server-2をRedisから切り離す。注文が10件同時に来る',
  )
  await primary.freeze()
  const { done } = burst(10, (i) => (i % 2 ? one : two).server.post('/orders', newOrder(), { within: 8000 }))
  for (const answer of await done) {
    expect(answer, say('an order while the primary sleeps', 'プライマリが眠る間の注文')).toAnswer(503)
    expectInTime(answer, one.server)
  }
  power.refuse('fence', 0)
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
      // A topology that was published a moment ago may be on its way.
      (status) => status?.primary === primary.name && status.epoch >= epoch - 1,
    )
    expect(await server.get('/health')).toAnswer(200, { status: 'ok' })
  }
  const node = cluster.nodes.find(({ name }) => name === primary.name)!
  const since = await node.marker()
  when('each server takes an order', '各サーバーが注文を一件受ける')
  for (const service of [one, two]) await accepts(service)
  const statements = await node.statements({ text: /orders/i }, since)
  for (const { server } of [one, two]) {
    expect(
      [...new Set(statements.map(({ application }) => application))],
      say('application_name of the statements on the new primary', '新しいプライマリの文のapplication_name'),
    ).toContain(server.name)
  }
})

test(say('SIGTERM ends a server in order', 'SIGTERMでサーバーが正常に終わる'), async () => {
  when('server-1 gets SIGTERM', 'server-1がSIGTERMを受け取る')
  expect((await one.server.stop()).code, say('exit status', '終了コード')).toBe(0)
})
