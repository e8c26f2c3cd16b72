import { any, beforeAll, closeTo, eventually, expect, say, test, when } from '#harness'
import { countedPair, type CountedPair } from '../../labs/02-dual-servers/tests/lent.ts'
import { counted, expectAverage, field, metricsOf, ofBoth } from '../../labs/02-dual-servers/tests/metrics.ts'
import { as } from '../../labs/02-dual-servers/tests/pair.ts'
import { change, drained, put } from '../../labs/02-dual-servers/tests/settings.ts'
import { expectCounts, expectHistogram, p95, sameTotals } from './counting.ts'
import { read, TIMEOUT, UNAVAILABLE } from './reading.ts'

let pair: CountedPair
/** Requests that each server had counted when this file began. */
let counts: number[]

beforeAll(async () => {
  pair = await countedPair()
  counts = (await ofBoth(pair)).map(({ requests }) => requests)
})

/** Both servers have answered so many requests since then, and none with an error. */
const expectRequests = (one: number, two: number) => expectCounts(pair, [counts[0]! + one, counts[1]! + two])

const total = (server = pair.server1) => server.get('/api/metrics/total', { within: TIMEOUT + 1000 })
const BOTH = { servers: ['server-1', 'server-2'], missing: [] }

test(say('no request yet', 'まだリクエストがない'), async () => {
  when('GET /api/metrics/total before any request', '最初のリクエストより前にGET /api/metrics/totalを送った')
  const answer = pair.first
  const none = { requests: 0, errors: 0, errorRate: 0, users: 0, pendingSyncs: 0 }
  expect(answer).toAnswer(200, { ...BOTH, ...none, avgLatencyMs: null, p95LatencyMs: null })
  const shares = Object.values(answer.body.share)
  expect(shares, say('values of share', 'shareの値')).toEqual(shares.map(() => any(Number)))
})

test(say('what counts as a request', '何をリクエストとして数えるか'), async () => {
  const { server1, server2 } = pair
  const profile = { displayName: 'x' }
  when(
    `after ${counts.join(' and ')} requests, server-1 answered 2 more with 200, server-2 one`,
    `それまでの${counts.join('件と')}件に続けて、server-1が2件、server-2が1件に200を返した`,
  )
  for (const id of ['alice', 'bob']) expect(await server1.put('/api/profile', profile, as(id))).toAnswer(200)
  expect(await server2.put('/api/profile', profile, as('nancy'))).toAnswer(200)
  await expectRequests(2, 1)

  when('then server-1 answered 400, 404, 421 and 400', '続けてserver-1が400、404、421、400を返した')
  expect(await server1.get('/api/profile')).toAnswer(400)
  expect(await server1.get('/api/profile', as('carol'))).toAnswer(404)
  expect(await server1.get('/api/profile', as('nancy'))).toAnswer(421)
  expect(await put(server1, 'Bad Name', 1)).toAnswer(400)
  await expectRequests(6, 1)

  when(
    'then server-1 changed a setting, delivered it to server-2, and listed its settings',
    '続けてserver-1が設定を変更してserver-2に届け、設定の一覧を返した',
  )
  await change(server1, 'theme', 'dark')
  await drained(pair)
  expect(await server1.get('/api/global-settings')).toAnswer(200)
  await expectRequests(8, 1)

  when('then alice read nancy three times at server-1', '続けてaliceがserver-1でnancyを3回読んだ')
  for (let i = 0; i < 3; i++) expect(await read(server1, 'nancy', 'alice')).toAnswer(200)
  await expectRequests(11, 1)

  const others = ['/health', '/api/metrics', '/api/metrics/total']
  when(`then server-1 answered ${others.join(', ')}`, `続けてserver-1が${others.join('、')}に応答した`)
  for (const path of others) expect(await server1.get(path)).toAnswer(200)
  await expectRequests(11, 1)
})

test(say('both add up', '2台分の合計'), async () => {
  const { server2, toDb2 } = pair
  const [before1, before2] = await ofBoth(pair)
  toDb2.delay(25, { directions: 'request' })
  for (let i = 0; i < 4; i++) await server2.get('/api/profile', as('nancy'))
  toDb2.delay(0)
  when('four requests of server-2 took 25 ms and more', 'server-2の4件に25ミリ秒以上かかった')
  const servers = await counted(pair, [before1.requests, before2.requests + 4])
  for (const [i, metrics] of servers.entries()) {
    const name = `server-${i + 1}`
    expectHistogram(name, metrics)
    expect(metrics.connections.total, field(name, 'connections.total')).toBeGreaterThanOrEqual(1)
    expect(metrics.connections.waiting, field(name, 'connections.waiting')).toBe(0)
  }
  const [one, two] = servers
  expect(two.latencyMs.sum, field('server-2', 'latencyMs.sum')).toBeGreaterThanOrEqual(4 * 25)
  const answer = await total()
  const requests = one.requests + two.requests
  const p95LatencyMs = p95(servers)
  expect(answer).toAnswer(200, { ...BOTH, requests, errors: 0, p95LatencyMs, users: 3, pendingSyncs: 0 })
  expectAverage(answer.body.avgLatencyMs, servers)
  const same = say(
    'GET /api/metrics/total says the same at server-2',
    'server-2のGET /api/metrics/totalも同じ結果になる',
  )
  await eventually(
    same,
    () => total(server2),
    (seen) => sameTotals(seen, answer),
  )
})

test(say('changes that wait on both', '両方で待っている変更'), async () => {
  const { server1, server2, to1, to2 } = pair
  when('3 changes of server-1 and 1 of server-2 wait', 'server-1の3件とserver-2の1件の変更が確認待ち')
  const losses = [to1, to2].map((link) => link.loseReply('/api/sync/', { times: Infinity }))
  // What was on its way before would still get its answer.
  for (const link of [to1, to2]) link.reset()
  for (const value of [1, 2, 3]) await change(server1, 'mine', value)
  await change(server2, 'yours', 1)
  expect(await total()).toAnswer(200, { ...BOTH, pendingSyncs: 4 })
  for (const loss of losses) loss.stop()
})

test(say('a frozen peer', '相手が凍りつく'), async () => {
  const { server1, server2 } = pair
  const before = await metricsOf(server2)
  await server1.freeze()
  when(
    `server-1 is frozen, PEER_TIMEOUT_MS=${TIMEOUT}; nancy reads alice at server-2`,
    `server-1が凍りつき（PEER_TIMEOUT_MS=${TIMEOUT}）、nancyがserver-2でaliceを読んだ`,
  )
  const asked = [read(server2, 'alice', 'nancy', {}, TIMEOUT + 1000), total(server2)]
  const [across, alone] = await Promise.all(asked)
  expect(across).toAnswer(UNAVAILABLE)
  expect(alone).toAnswer(200, { servers: ['server-2'], missing: ['server-1'] })
  const { requests, errors } = await eventually(
    field('server-2', 'requests'),
    () => metricsOf(server2),
    (seen) => seen.requests > before.requests && seen.errors > before.errors,
  )
  expect(requests - before.requests, field('server-2', 'new requests')).toBe(1)
  expect(errors - before.errors, field('server-2', 'new errors')).toBe(1)
  expect(await total(server2)).toAnswer(200, { requests, errors, errorRate: closeTo(errors / requests, 6) })
})
