import { beforeAll, closeTo, expect, say, test, when } from '#harness'
import { health } from './health.ts'
import { countedPair } from './lent.ts'
import { counted, expectAverage } from './metrics.ts'
import { as, type Pair } from './pair.ts'

let pair: Pair

beforeAll(async () => {
  pair = await countedPair()
})

test(say('30 fast requests and 4 slow ones', '速い30件と遅い4件'), async () => {
  const { server1, server2, toDb2 } = pair
  toDb2.delay(25, { directions: 'request' })
  for (let i = 0; i < 30; i++) await server1.get('/api/profile', as('alice123'))
  for (let i = 0; i < 4; i++) await server2.get('/api/profile', as('nancy789'))
  toDb2.delay(0)
  when(
    'server-1 had 30 quick requests, server-2 four that took 25 ms and more',
    'server-1に速い30件、server-2に25ミリ秒以上かかる4件のリクエストが来た',
  )
  const [one, two] = await counted(pair, [30, 4])
  const answer = await server1.get('/api/metrics/total')
  expect(answer).toAnswer(200, {
    servers: ['server-1', 'server-2'],
    missing: [],
    requests: 34,
    errors: 0,
    errorRate: 0,
  })
  expectAverage(answer.body.avgLatencyMs, [one, two])
  expect(answer.body.share, say('share of each server', '各サーバーのshare')).toEqual({
    'server-1': closeTo(30 / 34, 6),
    'server-2': closeTo(4 / 34, 6),
  })
})

test(say('one server is down', '片方が落ちている'), async () => {
  const { server1, server2 } = pair
  await server2.kill()
  when(
    'server-2 is killed; GET /api/metrics/total at server-1',
    'server-2を強制終了し、server-1にGET /api/metrics/totalを送った',
  )
  expect(await server1.get('/api/metrics/total')).toAnswer(200, {
    servers: ['server-1'],
    missing: ['server-2'],
    requests: 30,
    share: { 'server-1': 1 },
  })
  await server2.start()
  when('server-2 is started again', 'server-2を再起動した')
  expect(await health(server2)).toAnswer(200)
})
