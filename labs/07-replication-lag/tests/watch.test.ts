import { beforeAll, eventually, expect, say, test, when, type StartedRole } from '#harness'
import { samplesLater } from './lag.ts'
import { metricsOf } from './metrics.ts'
import { sharedShop, type SharedShop } from './shared.ts'
import { newId, order, report, type Lag } from './shop.ts'

let shop: SharedShop
let server: StartedRole

beforeAll(async () => {
  shop = await sharedShop()
  server = await shop.lend('server-a')
})

// #region wait
test(say('wait until all have it', '全員に届くまで待つ'), async () => {
  await shop.caughtUp()
  when(
    'both replicas have everything: GET /replication/wait',
    '両方のレプリカが追いついている。GET /replication/wait',
  )
  // Something that happens on its own may have written a record just now: the quickest of ten counts.
  let quickest = Infinity
  for (let i = 0, late = 0; i < 10 && !(quickest < 50); i++) {
    const answer = await server.get('/replication/wait?timeoutMs=700')
    // Once it may be too slow: the machine may have been busy with something else.
    if (answer.status === 504 && late++ === 0) continue
    expect(answer).toAnswer(200, { reached: true })
    quickest = Math.min(quickest, Number(answer.body.waitedMs))
  }
  expect(quickest, say('waitedMs', 'waitedMs')).toBeLessThan(50)

  await shop.pause()
  await shop.row(newId())
  when(
    'both stand still, and one row is written: GET /replication/wait?timeoutMs=50',
    '両方とも止めて1行書き込む。GET /replication/wait?timeoutMs=50',
  )
  const late = await server.get('/replication/wait?timeoutMs=50')
  expect(late).toAnswer(504, { reached: false })
  expect(late.body.lagging?.toSorted(), say('lagging', 'lagging')).toEqual(['replica-1', 'replica-2'])

  when('a wait is under way, and replay goes on', '待っている間に再生を再開する')
  let answered = false
  const waiting = server
    .get('/replication/wait?timeoutMs=8000', { within: 12_000 })
    .finally(() => (answered = true))
  await samplesLater(server, 3)
  expect(answered, say('answered before the replicas had it', 'レプリカに届く前に応答した')).toBe(false)
  await shop.resume()
  expect(await waiting).toAnswer(200, { reached: true })
})
// #endregion wait

test(say('wait for what a token stands for', 'トークンの位置まで待つ'), async () => {
  await shop.resume()
  const early = await order(server, newId())
  await shop.caughtUp()
  await shop.pause()
  const late = await order(server, newId())
  const wait = (token: string, timeoutMs: number) =>
    server.get(`/replication/wait?timeoutMs=${timeoutMs}&token=${encodeURIComponent(token)}`)
  when(
    'both replicas have the first order, not the second: a wait for the token of each',
    '両方のレプリカには1件目の注文があり、2件目はない。それぞれのトークンで待つ',
  )
  expect(await wait(early, 3000), say('token of the first order', '1件目のトークン')).toAnswer(200, {
    reached: true,
  })
  expect(await wait(late, 50), say('token of the second order', '2件目のトークン')).toAnswer(504, {
    reached: false,
  })
})

test(say('1,000 rows, then wait', '1,000行書き込んでから待つ'), async () => {
  when('1,000 rows are inserted, then GET /replication/wait', '1,000行を挿入してからGET /replication/wait')
  await shop.db.sql("INSERT INTO orders SELECT 'many-' || n, 1, 'new' FROM generate_series(1, 1000) n")
  expect(await server.get('/replication/wait', { within: 7000 })).toAnswer(200, { reached: true })
  for (const replica of [shop.replica1, shop.replica2]) {
    const [row] = await replica
      .view(shop.db)
      .sql("SELECT count(*)::int AS n FROM orders WHERE id LIKE 'many-%'")
    expect(row?.n, say(`rows on ${replica.name}`, `${replica.name}の行数`)).toBe(1000)
  }
})

// #region metrics
test(say('the same numbers for Prometheus', 'Prometheusにも同じ数字を'), async () => {
  await shop.caughtUp()
  await shop.pause(shop.replica1)
  await shop.row(newId())
  when(
    'replica-1 stands still, and one row is written: GET /metrics and GET /replication',
    'replica-1を止めて1行書き込む。GET /metricsとGET /replication',
  )
  await eventually(
    say(
      'the same bytes and alerts in /metrics and /replication, more than 0 bytes for replica-1',
      '/metricsと/replicationのバイト数とアラートが同じで、replica-1のバイト数は0より大きい',
    ),
    async () => {
      const metrics = await metricsOf(server)
      const { replicas } = await report(server)
      const said = (value: (r: Lag) => unknown) => Object.fromEntries(replicas.map((r) => [r.name, value(r)]))
      return {
        metrics: { bytes: metrics.replication_lag_bytes, alert: metrics.replication_alert },
        replication: { bytes: said((r) => r.replayLagBytes), alert: said((r) => Number(r.alert)) },
      }
    },
    ({ metrics, replication }) =>
      Number(metrics.bytes?.['replica-1']) > 0 &&
      ['replica-1', 'replica-2'].every(
        (name) =>
          metrics.bytes?.[name] === replication.bytes[name] &&
          metrics.alert?.[name] === replication.alert[name],
      ),
    { within: 3000 },
  )
  // A design with a heartbeat knows of a delay from its next beat on.
  await eventually(
    say('replication_lag_seconds of replica-1 above 0', 'replica-1のreplication_lag_secondsが0より大きい'),
    async () => Number((await metricsOf(server)).replication_lag_seconds?.['replica-1']),
    (seconds) => seconds > 0,
    { within: 3000 },
  )
})
// #endregion metrics
