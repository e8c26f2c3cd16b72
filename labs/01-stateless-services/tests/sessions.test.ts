import { beforeAll, expect, say, test, when } from '#harness'
import { instances, type Service } from './instances.ts'
import { login, me, meAfterStart } from './logins.ts'

let service: Service

beforeAll(async () => {
  service = await instances(1, 2)
})

test(
  say(
    'logged in here is logged in there, and so is logged out',
    'こちらでのログインもログアウトも、あちらで通用する',
  ),
  async ({ random }) => {
    const { app1, app2 } = service
    const user = random.word()

    when(
      `${user} logs in at app-1, and app-2 gets the next click`,
      `${user}がapp-1でログインし、次のクリックはapp-2に届く`,
    )
    const { answer, cookie } = await login(app1, user)
    expect(answer).toAnswer(200, { user })
    expect(await me(app2, cookie)).toAnswer(200, { user })

    when(
      `${user} logs out at app-2, and app-1 gets the next click`,
      `${user}がapp-2でログアウトし、次のクリックはapp-1に届く`,
    )
    expect(await app2.post('/api/logout', undefined, { headers: { cookie } })).toAnswer(204)
    expect(await me(app1, cookie), undefined, { hint: 2 }).toAnswer(401, { error: 'unauthorized' })
  },
)

test(
  say('a login outlives the processes that know of it', 'ログインは、それを知っているプロセスより長生きする'),
  async ({ random }) => {
    const { app1, app2 } = service
    const user = random.word()

    const { cookie } = await login(app1, user)
    when(
      'both instances are killed and started again, as in a deploy',
      'デプロイのように、両方のインスタンスを強制終了して起動し直した',
    )
    await Promise.all([app1.restart(), app2.restart()])
    expect(await meAfterStart(app1, cookie)).toAnswer(200, { user })
    expect(await meAfterStart(app2, cookie)).toAnswer(200, { user })
  },
)
