import type { Agent } from 'node:http'
import { ahead, beforeAll, burst, eventually, expect, say, test, when, type StartedRole } from '#harness'
import { instances, keptConnections, type Service } from '../../labs/01-stateless-services/tests/instances.ts'
import { login, me } from '../../labs/01-stateless-services/tests/logins.ts'

let service: Service

beforeAll(async () => {
  service = await instances(1, 2, 3)
})

const viewsOf = (page: string) => `/api/pages/${encodeURIComponent(page)}/views`

/** What an instance says of a page: the count, or the status where there is none. */
async function count(app: StartedRole, page: string, method = 'GET', agent?: Agent): Promise<number> {
  const answer = await app.request(viewsOf(page), { method, agent })
  return answer.body?.views ?? -answer.status
}

test(say('300 views at once are 300 views', '同時の300回の閲覧は、300回と数えられる'), async ({ random }) => {
  const { apps } = service
  const page = random.word()
  when(
    'a page is viewed 300 times at once, over three instances',
    '3つのインスタンスで、同時に300回閲覧された',
  )
  // No more: on a busy machine a command would wait too long for Redis's answer, and 503 would be right.
  const agent = keptConnections(4)
  const counts = await burst(300, (i) => count(apps[i % 3]!, page, 'POST', agent)).done
  expect(await count(apps[0]!, page), say('views at app-1', 'app-1の閲覧数')).toBe(300)
  expect(await count(apps[1]!, page), say('views at app-2', 'app-2の閲覧数')).toBe(300)
  expect(new Set(counts).size, say('different numbers among the answers', '応答に現れた異なる数')).toBe(300)
  expect(Math.max(...counts), say('greatest of them', 'その最大')).toBe(300)
})

test(say('a page may be called whatever it likes', 'ページ名は、どんな文字列でもよい'), async () => {
  const { app1, app2 } = service
  const { cookie } = await login(app1, 'ann')
  const session = cookie.replace('session=', '')
  when(
    'pages are named like the keys of sessions and of other pages',
    'セッションやほかのページのキーに似た名前のページがある',
  )
  for (const page of [session, `session:${session}`, 'views:x', 'x', '*', "o'clock"]) {
    expect(
      [await count(app1, page, 'POST'), await count(app2, page, 'POST')],
      say('views', '閲覧数'),
    ).toEqual([1, 2])
  }
  expect(await me(app2, cookie), say('the session', 'セッション')).toAnswer(200, { user: 'ann' })
})

test(say('every page has its own count', '閲覧数はページごとに数える'), async ({ random }) => {
  const { apps, app1, app2 } = service
  const stem = random.word()
  const pages = Array.from({ length: 10 }, (_, i) => `${stem}/${i} ページ`)
  const expected = pages.map(() => random.int(1, 9))
  when(
    'ten pages are viewed a few times each at app-1 and app-2, mixed',
    'app-1とapp-2で、10ページが入り交じって数回ずつ閲覧された',
  )
  const views = random.shuffle(pages.flatMap((page, i) => Array.from({ length: expected[i]! }, () => page)))
  await burst(views.length, (i) => count(i % 2 ? app1 : app2, views[i]!, 'POST')).done
  expect(
    await Promise.all(pages.map((page) => count(app2, page))),
    say('views of the ten pages', '10ページの閲覧数'),
  ).toEqual(expected)

  when('a page nobody has viewed is asked for, twice', '誰も見ていないページの閲覧数を2回聞いた')
  const unknown = `${stem}/unknown`
  expect([await count(app1, unknown), await count(app2, unknown)], say('views', '閲覧数')).toEqual([0, 0])
  expect(await count(app1, unknown, 'POST'), say('its first view', '最初の閲覧')).toBe(1)

  when(
    'all three instances are killed, and started again',
    '3つのインスタンスをすべて強制終了し、起動し直した',
  )
  await Promise.all(apps.map((app) => app.kill()))
  // The next step needs the others, this test does not.
  void ahead(() => instances(2, 3))
  await app1.start()
  // The way to the store may still be opening: 503 means "not yet".
  await eventually(
    say('app-1 reaches its store', 'app-1がストアに接続する'),
    () => count(app1, pages[0]!),
    (seen) => seen !== -503,
  )
  expect(
    await Promise.all(pages.map((page) => count(app1, page))),
    say('views of the ten pages', '10ページの閲覧数'),
  ).toEqual(expected)
})
