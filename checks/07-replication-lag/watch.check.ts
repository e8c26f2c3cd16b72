import { atEnd, beforeAll, eventually, expect, httpPeer, say, test, when, type StartedRole } from '#harness'
import { samplesLater } from '../../labs/07-replication-lag/tests/lag.ts'
import { metricsOf } from '../../labs/07-replication-lag/tests/metrics.ts'
import { sharedShop, type SharedShop } from '../../labs/07-replication-lag/tests/shared.ts'
import { newId, order, read, report } from '../../labs/07-replication-lag/tests/shop.ts'

type Peer = Awaited<ReturnType<typeof httpPeer>>

let shop: SharedShop
let hook: Peer
let server: StartedRole
let calm: StartedRole

/** Samples are counted here, so they come quickly. */
const LIMITS = { SAMPLE_MS: 5, ALERT_LAG_BYTES: 50_000, ALERT_LAG_SECONDS: 3600 }
const CALM_AFTER = 30

beforeAll(async () => {
  ;[shop, hook] = await Promise.all([sharedShop(), httpPeer()])
  atEnd(() => hook.close())
  ;[server, calm] = await Promise.all([
    shop.server('server-alert', { ALERT_URL: `${hook.url}/alerts`, ALERT_AFTER: 5, ...LIMITS }),
    shop.server('server-calm', { ALERT_URL: `${hook.url}/calm`, ALERT_AFTER: CALM_AFTER, ...LIMITS }),
  ])
  await shop.calm()
})

/** The other replica may be slow for a moment, and that is an alert of its own. */
const about = (replica: string, path = '/alerts') =>
  hook
    .received(path)
    .map(({ json }) => json)
    .filter((alert) => alert?.replica === replica)
const posted = (replica = 'replica-1', path?: string) =>
  about(replica, path).map((alert) => `${alert.replica} ${alert.state}`)
const fired = () => posted().filter((alert) => alert === 'replica-1 firing').length
const alerts = say('what was posted', '通知された内容')

const write200kB = () => shop.db.sql("SELECT pg_logical_emit_message(true, 'test', repeat('x', 200000))")

test(say('one alert when it fires, one when it resolves', '発生で1回、解消で1回'), async () => {
  await shop.pause(shop.replica1)
  await write200kB()
  when(
    'replica-1 is 200 kB behind, with a limit of 50,000 bytes',
    'replica-1が200kB遅れている。しきい値は50,000バイト',
  )
  await eventually(
    alerts,
    () => posted(),
    (list) => list.length > 0,
  )
  await samplesLater(server, 15)
  expect(posted(), alerts).toEqual(['replica-1 firing'])
  const { lagBytes, lagSeconds } = about('replica-1')[0]
  expect(lagBytes, say('lagBytes', 'lagBytes')).toBeGreaterThan(50_000)
  expect(typeof lagSeconds, say('lagSeconds', 'lagSeconds')).toBe('number')
  await eventually(
    say('alert of the replicas', 'レプリカのalert'),
    async () => (await report(server)).replicas.map((r) => r.alert),
    [true, false],
  )
  await shop.resume()
  when('replica-1 has caught up', 'replica-1が追いついた')
  await eventually(
    alerts,
    () => posted(),
    (list) => list.length > 1,
  )
  await samplesLater(server, 15)
  expect(posted(), alerts).toEqual(['replica-1 firing', 'replica-1 resolved'])
})

/** replica-1 is over the limit for a moment. How many samples were taken, and what had been posted before. */
async function blip(): Promise<{ samples: number; before: number }> {
  await eventually(
    say('alert of replica-1', 'replica-1のalert'),
    async () => (await report(calm)).replicas[0]?.alert,
    false,
  )
  await samplesLater(calm, 2)
  const before = posted('replica-1', '/calm').length
  const begun = (await report(calm)).samples
  await shop.pause(shop.replica1)
  await write200kB()
  await eventually(
    say('more than 50,000 bytes in /metrics', '/metricsで50,000バイトを超える'),
    async () => (await metricsOf(calm)).replication_lag_bytes?.['replica-1'],
    (bytes) => Number(bytes) > 50_000,
  )
  await shop.resume()
  return { samples: (await report(calm)).samples - begun, before }
}

test(say('a blip is no alert', '一瞬の遅れでは鳴らない'), async () => {
  // On a slow machine the moment may have been long enough for an alert: then it was no blip.
  const { before } = await eventually(
    say(`a blip of less than ${CALM_AFTER} samples`, `${CALM_AFTER}サンプル未満の一瞬の遅れ`),
    blip,
    ({ samples }) => samples < CALM_AFTER,
    { within: 15_000 },
  )
  when(
    `replica-1 was over the limit for a moment, ALERT_AFTER=${CALM_AFTER}`,
    `replica-1が一瞬だけしきい値を超えた。ALERT_AFTER=${CALM_AFTER}`,
  )
  await samplesLater(calm, CALM_AFTER + 10)
  expect(posted('replica-1', '/calm').slice(before), alerts).not.toContain('replica-1 firing')
})

test(say('a replica that is gone', 'いなくなったレプリカ'), async () => {
  const before = posted('replica-2').length
  await shop.shortRecovery()
  await shop.replica2.kill()
  when('replica-2 is killed', 'replica-2を強制終了する')
  await eventually(alerts, () => posted('replica-2').slice(before), ['replica-2 firing'])
  expect(about('replica-2').at(-1), alerts).toEqual({
    replica: 'replica-2',
    state: 'firing',
    lagBytes: null,
    lagSeconds: null,
  })
})

test(say('a webhook that hangs or fails', '応答しないWebhook、失敗するWebhook'), async () => {
  const id = newId()
  await order(server, id)
  await shop.caughtUp()
  for (const answer of ['silent', 500] as const) {
    hook.answer = answer
    const before = fired()
    await shop.pause(shop.replica1)
    await write200kB()
    await eventually(alerts, fired, (count) => count > before)
    when(
      `the webhook answers an alert with ${answer === 'silent' ? 'silence' : answer}`,
      `Webhookがアラートに${answer === 'silent' ? '応答しない' : '500を返す'}`,
    )
    await samplesLater(server, 5)
    expect(await read(server, id)).toAnswer(200, { id })
    await shop.resume()
    await eventually(
      say('alert of replica-1', 'replica-1のalert'),
      async () => (await report(server)).replicas[0]?.alert,
      false,
    )
  }
})
