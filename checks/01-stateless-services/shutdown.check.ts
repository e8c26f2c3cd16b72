import { beforeAll, eventually, expect, httpClient, say, test, when } from '#harness'
import {
  BRIEF_MS,
  howMany,
  instances,
  type Service,
} from '../../labs/01-stateless-services/tests/instances.ts'
import { channel, holdMessages } from '../../labs/01-stateless-services/tests/messages.ts'
import { connectionsOf, ended, EXIT } from '../../labs/01-stateless-services/tests/processes.ts'

let service: Service

beforeAll(async () => {
  service = await instances(1, 2, 3)
})

test(
  say('kept connections do not keep the process', '保持された接続は、プロセスを引き留めない'),
  async () => {
    const { app1, db } = service
    const clients = await Promise.all(Array.from({ length: 11 }, () => httpClient(app1)))
    const [idle, ...busy] = clients
    for (const client of clients) await client.request('/health')
    const { lock, answers } = await holdMessages(service, app1, {
      count: busy.length,
      post: (_, i) =>
        busy[i]!.request(channel('kept'), {
          method: 'POST',
          body: { author: 'ann', text: `message ${i}` },
          within: 10_000,
        }),
    })
    when(
      'ten messages are in progress on kept connections, one more connection is idle, and app-1 gets SIGTERM twice',
      '保持された接続10本でメッセージを処理中、ほかに何もしていない接続が1本あるときに、app-1へSIGTERMを2回送った',
    )
    app1.terminate()
    await eventually(
      say('the idle connection is closed', '何もしていない接続が閉じられる'),
      () => idle!.isOpen,
      false,
      { hint: 2 },
    )
    // Not before: two signals that come at once are one for the process.
    app1.terminate()
    await lock.release()
    const kept = howMany(201, await Promise.all(answers))
    expect(kept, say('messages that were answered 201', '201が返ったメッセージ')).toBe(10)
    expect(await ended(app1, 3000, 2), EXIT).toBe('exit 0')
    await eventually(
      say('no connection of app-1 in pg_stat_activity', 'pg_stat_activityにapp-1の接続がない'),
      () => connectionsOf(db, app1),
      0,
    )
  },
)

test(say('Redis does not hold up the end', 'Redisは停止を引き留めない'), async () => {
  const { app2, toRedis } = service
  when(
    'app-2 has nothing to do, Redis does not answer any more, and app-2 gets SIGTERM',
    '処理中のリクエストがないapp-2で、Redisが応答しなくなったときに、SIGTERMを送った',
  )
  toRedis.blackHole()
  app2.terminate()
  expect(await ended(app2, 5000, 2), EXIT).toBe('exit 0')
  await toRedis.open()
})

test(
  say('there is a deadline, with or without Redis', 'Redisがあってもなくても、停止には期限がある'),
  async () => {
    const { app3, toRedis } = service
    const { lock, answers } = await holdMessages(service, app3)
    when(
      `SHUTDOWN_MS is ${BRIEF_MS}, a request never ends, Redis does not answer any more, and app-3 gets SIGTERM`,
      `SHUTDOWN_MSが${BRIEF_MS}で、終わらないリクエストがあり、Redisも応答しなくなったときに、app-3へSIGTERMを送った`,
    )
    toRedis.blackHole()
    app3.terminate()
    expect(await ended(app3, 3000, 2), EXIT).toBe('exit 1')
    await lock.release()
    await Promise.all(answers)
  },
)
