import { beforeAll, expect, say, test, when } from '#harness'
import { instances, type Service } from './instances.ts'

let service: Service

beforeAll(async () => {
  service = await instances(1, 2)
})

test(
  say('both instances count the same views', '両方のインスタンスが同じ閲覧数を数える'),
  async ({ random }) => {
    const { app1, app2 } = service
    const views = `/api/pages/${random.word()}/views`

    when(
      'a page is viewed three times at app-1 and twice at app-2',
      'あるページがapp-1で3回、app-2で2回閲覧された',
    )
    for (const app of [app1, app1, app1, app2, app2]) expect((await app.post(views)).status).toBe(200)
    expect(await app1.get(views), say('app-1', 'app-1の応答')).toAnswer(200, { views: 5 })
    expect(await app2.get(views), say('app-2', 'app-2の応答')).toAnswer(200, { views: 5 })
  },
)
