import { beforeAll, expect, say, test, when } from '#harness'
import { instances, type Service } from './instances.ts'
import { channel, textsAt } from './messages.ts'

let service: Service

beforeAll(async () => {
  service = await instances(1, 2)
})

// #region across
test(
  say(
    'a message posted at one instance is listed by the other',
    '片方に投稿したメッセージを、もう片方が一覧に出す',
  ),
  async ({ random }) => {
    const { app1, app2 } = service
    const room = random.word()
    const text = `hello ${random.word()}`

    when(
      'ann posts a message at app-1 and ben reads the channel at app-2',
      'annがapp-1に投稿し、benがapp-2でチャンネルを読む',
    )
    const posted = await app1.post(channel(room), { author: 'ann', text })
    expect(posted).toAnswer(201, { channel: room, author: 'ann', text })
    expect(await textsAt(app2, room), say('texts at app-2', 'app-2が返すメッセージ')).toEqual([text])
  },
)
// #endregion across

test(
  say('a message outlives the process that took it', 'メッセージは、受け取ったプロセスより長生きする'),
  async ({ random }) => {
    const { app1 } = service
    const room = random.word()
    const text = `hello ${random.word()}`

    await app1.post(channel(room), { author: 'ann', text })
    when(
      'app-1 is killed (SIGKILL) after its 201, and started again',
      'app-1が201を返したあと強制終了（SIGKILL）され、再び起動した',
    )
    await app1.restart()
    expect(await textsAt(app1, room), say('texts at app-1', 'app-1が返すメッセージ')).toEqual([text])
  },
)
