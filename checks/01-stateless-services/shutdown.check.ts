import { beforeAll, eventually, expect, httpClient, say, test, when } from '#harness'
import {
  channel,
  connectionsOf,
  ended,
  EXIT,
  holdMessages,
  howMany,
  startInstances,
  type Service,
} from '../../labs/01-stateless-services/tests/instances.ts'

let service: Service

beforeAll(async () => {
  service = await startInstances(3, {}, [{ DB_POOL_MAX: 10 }, { SHUTDOWN_MS: 300 }, { SHUTDOWN_MS: 1000 }])
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
      'ten messages are in progress on kept connections, one more connection is idle, and app-1 gets SIGTERM',
      '保持された接続10本でメッセージを処理中、ほかに何もしていない接続が1本あるときに、app-1へSIGTERMを送った',
    )
    app1.terminate()
    await eventually(
      say('the idle connection is closed', '何もしていない接続が閉じられる'),
      () => idle!.isOpen,
      false,
      { hint: 2 },
    )
    await lock.release()
    const kept = howMany(201, await Promise.all(answers))
    expect(kept, say('messages that were answered 201', '201が返ったメッセージ')).toBe(10)
    expect(await ended(app1, 1500, 2), EXIT).toBe('exit 0')
    await eventually(
      say('no connection of app-1 in pg_stat_activity', 'pg_stat_activityにapp-1の接続がない'),
      () => connectionsOf(db, app1),
      0,
    )
  },
)

test(say('there is a deadline', '期限がある'), async () => {
  const { app2 } = service
  const { lock, answers } = await holdMessages(service, app2)
  when('SHUTDOWN_MS is 300 and a request never ends', 'SHUTDOWN_MSが300で、終わらないリクエストがある')
  app2.terminate()
  expect(await ended(app2, 1300, 2), EXIT).toBe('exit 1')
  await lock.release()
  await Promise.all(answers)
})

test(
  say('told twice is told once, with or without Redis', '2回指示されても、Redisがなくても、止まり方は同じ'),
  async () => {
    const { app3, toRedis } = service
    const { lock, answers } = await holdMessages(service, app3)
    when(
      'a message is in progress, Redis does not answer any more, and app-3 gets SIGTERM twice',
      'メッセージの処理中にRedisが応答しなくなり、app-3にSIGTERMを2回送った',
    )
    toRedis.blackHole()
    app3.terminate()
    app3.terminate()
    await lock.release()
    expect(await answers[0], say('the message', 'メッセージへの応答'), { hint: 2 }).toAnswer(201)
    await ended(app3, 2000, 2)
  },
)
