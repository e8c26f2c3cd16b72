import { ahead, beforeAll, expect, fail, same, say, stringMatching, test, when } from '#harness'
import { health, sees } from './health.ts'
import { quietPair, SHORT_MS, watchingPair } from './lent.ts'
import type { Pair } from './pair.ts'

let quiet: Pair
let watching: Promise<Pair>

beforeAll(async () => {
  quiet = await quietPair()
  watching = ahead(watchingPair)
})

test(say('a check costs the peer nothing', 'ヘルスチェックは相手に負担をかけない'), async () => {
  const { server1, to1, to2 } = quiet
  const links = [to2, to1]
  const counts = () =>
    links.map((link) => link.requests.filter(({ path }) => !path.startsWith('/api/sync/')).length)
  const before = counts()
  for (let i = 1; i <= 50; i++) {
    when(`GET /health at server-1, call ${i} of 50`, `server-1にGET /healthを送った（50回中${i}回目）`)
    expect(await health(server1)).toAnswer(200, {
      status: 'ok',
      server: 'server-1',
      database: 'connected',
      peer: stringMatching(/^(unknown|healthy|unhealthy|unreachable)$/),
    })
    const caused = counts().map((count, link) => count - before[link]!)
    if (caused.every((count) => count <= 1)) continue
    fail(
      say('at most 1 request between the servers each way', 'サーバー間のリクエストは片方向に1件以下'),
      same(links.map(({ name }, link) => `${name}: ${caused[link]}`).join(', ')),
      { hint: 2 },
    )
  }
})

test(say('each server knows how the other is', 'どちらも相手の状態を知っている'), async () => {
  const { server1, server2 } = await watching
  when('both servers are up', '両方のサーバーが動いている')
  await Promise.all([sees(server1, 'healthy'), sees(server2, 'healthy')])
})

test(say('a frozen peer costs nothing', '相手が凍っても影響を受けない'), async () => {
  const { server1, server2 } = await watching
  await server1.freeze()
  when(
    'server-1 is frozen; 20 calls of GET /health at server-2',
    'server-1が凍りつき、server-2にGET /healthを20回送った',
  )
  const answers = []
  for (let i = 0; i < 20; i++) answers.push(await health(server2))
  for (const answer of answers) expect(answer).toAnswer(200, { status: 'ok' })
  const waits = answers.filter(({ ms }) => ms >= SHORT_MS).length
  expect(
    waits,
    say(
      `how many of the 20 calls took as long as a wait for the peer, ${SHORT_MS} ms`,
      `20回のうち、相手を待つ時間（${SHORT_MS}ミリ秒）以上かかった回数`,
    ),
  ).toBeLessThan(10)
  await sees(server2, 'unreachable')
  await server1.thaw()
  when('server-1 goes on', 'server-1が動き出した')
  await sees(server2, 'healthy')
})
