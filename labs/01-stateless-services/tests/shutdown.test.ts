import { beforeAll, eventually, expect, http, say, test, when } from '#harness'
import { instances, startedAnew, type Service } from './instances.ts'
import { holdMessages } from './messages.ts'
import { ended, EXIT } from './processes.ts'

let service: Service

beforeAll(async () => {
  service = await instances(1)
})

test(
  say('an idle instance ends when it is told to', '何もしていないインスタンスは、指示されたら終了する'),
  async () => {
    const app2 = await startedAnew(2)
    when(
      'app-2 has just started, has nothing to do, and gets SIGTERM',
      '起動したばかりで処理中のリクエストがないapp-2に、SIGTERMを送った',
    )
    app2.terminate()
    expect(await ended(app2, 5000), EXIT).toBe('exit 0')
  },
)

test(
  say(
    'a request in progress is finished, a new one is refused',
    '処理中のリクエストは終え、新しいものは断る',
  ),
  async () => {
    const { app1 } = service
    const { lock, answers } = await holdMessages(service, app1)

    when(
      'a message waits for Postgres at app-1, and app-1 gets SIGTERM',
      'app-1でメッセージがPostgresを待っているときに、SIGTERMを送った',
    )
    app1.terminate()
    await eventually(
      say('a new connection is refused', '新しい接続が拒否される'),
      async () => (await http(`${app1.url}/health`, { to: app1.name, within: 300 })).status,
      0,
    )
    await lock.release()
    expect(await answers[0], say('the message', 'メッセージへの応答'), { hint: 2 }).toAnswer(201)
    expect(await ended(app1, 10_000), EXIT).toBe('exit 0')
  },
)
