import {
  type StartedRole,
  atEnd,
  beforeAll,
  burst,
  eventually,
  expect,
  httpPeer,
  say,
  stringMatching,
  test,
  when,
} from '#harness'
import { health, sees } from '../../labs/02-dual-servers/tests/health.ts'
import { watchingPair, type WatchingPair } from '../../labs/02-dual-servers/tests/lent.ts'

let pair: WatchingPair

beforeAll(async () => {
  pair = await watchingPair()
})

const becomes = (server: StartedRole, status: number) =>
  eventually(
    say(`GET /health of ${server.name} answers ${status}`, `${server.name}のGET /healthが${status}を返す`),
    async () => (await health(server)).status,
    status,
  )

test(say('the peer is not there yet', '相手がまだいない'), async () => {
  when(
    'server-1 was started before server-2 could be reached',
    'server-2につながらない間に、server-1を起動した',
  )
  const peer = stringMatching(/^(unknown|unreachable)$/)
  const first = pair.alone
  expect(first).toAnswer(200, { status: 'ok', peer })
  await eventually(
    say('uptime in /health grows', '/healthのuptimeが増える'),
    async () => (await health(pair.server1)).body?.uptime,
    (uptime) => uptime > first.body.uptime,
  )
  when('server-2 can be reached', 'server-2につながるようになった')
  await sees(pair.server1, 'healthy')
})

test(say('the peer has lost its database', '相手がデータベースを失った'), async () => {
  const { server1, server2, toDb2 } = pair
  toDb2.cut()
  when('the link from server-2 to its database is cut', 'server-2からデータベースへの接続を切った')
  await becomes(server2, 503)
  expect(await health(server2)).toAnswer(503, {
    status: 'unhealthy',
    server: 'server-2',
    database: 'unreachable',
  })
  await sees(server1, 'unhealthy')
  expect(await health(server1)).toAnswer(200, { status: 'ok', database: 'connected' })
  await toDb2.open()
  when('the link is whole again', '接続が元に戻った')
  await becomes(server2, 200)
})

test(say('a database that never answers', '応答しないデータベース'), async () => {
  const { server2, toDb2, env2 } = pair
  const dbTimeout = Number(env2.DB_TIMEOUT_MS)
  toDb2.blackHole()
  // Less than ten that wait one after the other.
  const limit = dbTimeout + 2000
  when(
    `server-2's database never answers, DB_TIMEOUT_MS=${dbTimeout}`,
    `server-2のデータベースが応答しなくなった（DB_TIMEOUT_MS=${dbTimeout}）`,
  )
  const label = say(`GET /health of server-2 within ${limit} ms`, `${limit}ミリ秒以内のserver-2のGET /health`)
  const ten = () => burst(10, () => health(server2, limit)).done
  let answers = await ten()
  for (const answer of answers) expect(answer, label).toAnswer([200, 503])
  // A server that watches its database in the background may not have seen it yet.
  if (answers.some(({ status }) => status === 200)) {
    await becomes(server2, 503)
    answers = await ten()
  }
  for (const answer of answers) expect(answer, label).toAnswer(503)
  await toDb2.open()
  when('the database answers again', 'データベースが再び応答するようになった')
  await becomes(server2, 200)
})

test(say('the peer is gone', '相手が落ちた'), async () => {
  const { server1, server2 } = pair
  await server2.kill()
  when('server-2 is killed', 'server-2を強制終了した')
  await sees(server1, 'unreachable')
  expect(await health(server1)).toAnswer(200, { status: 'ok', peer: 'unreachable' })
  await server2.start()
  when('server-2 is started again', 'server-2を再起動した')
  await sees(server1, 'healthy')
})

test(say('the peer talks nonsense', '相手の応答がおかしい'), async () => {
  const { server1, server2, to2 } = pair
  const peer = await httpPeer({ name: 'server-2', answer: { body: '<html>' } })
  atEnd(() => peer.close())
  to2.retarget({ host: '127.0.0.1', port: peer.port })
  to2.reset()
  for (const [answer, what] of [
    [{ body: '<html>it works' }, 'HTML'],
    [{ megabytes: 10 }, '10 MB'],
  ] as const) {
    peer.answer = answer
    when(`the peer answers /health with 200 and ${what}`, `相手が/healthに200と${what}を返した`)
    const before = peer.received('/health').length
    await eventually(
      say('two more checks of the peer', '相手の確認があと2回'),
      () => peer.received('/health').length >= before + 2,
    )
    await sees(server1, 'healthy', 'unhealthy')
    expect(await health(server1)).toAnswer(200, { status: 'ok', database: 'connected' })
  }
  to2.retarget({ host: '127.0.0.1', port: server2.port })
  to2.reset()
})
