import { beforeAll, burst, eventually, expect, say, test, when, type Answer } from '#harness'
import {
  BRIEF_MS,
  instances,
  keptConnections,
  type Service,
  SESSION_SECONDS,
} from '../../labs/01-stateless-services/tests/instances.ts'
import { bits, lifetime, login, me } from '../../labs/01-stateless-services/tests/logins.ts'
import { channel } from '../../labs/01-stateless-services/tests/messages.ts'

let service: Service

beforeAll(async () => {
  service = await instances(1, 2, 3)
})

test(
  say(
    'the cookie is kept from scripts and other sites',
    'クッキーは、スクリプトにもほかのサイトにも渡らない',
  ),
  async () => {
    when('ann logs in', 'annがログインした')
    const { answer } = await login(service.app1, 'ann')
    const line = (answer.headers['set-cookie'] ?? []).find((cookie) => cookie.startsWith('session=')) ?? ''
    const attributes = line
      .split(';')
      .slice(1)
      .map((part) => part.trim())
    const shown = say('attributes of the cookie session', 'クッキーsessionの属性')
    const lower = attributes.map((part) => part.toLowerCase())
    expect(lower, shown).toContain('httponly')
    expect(lower, shown).toContain('path=/')
    expect(
      lower.some((part) => part === 'samesite=lax' || part === 'samesite=strict'),
      say('SameSite is Lax or Strict', 'SameSiteがLaxかStrict'),
    ).toBe(true)
    const seconds = lifetime(lower)
    if (seconds !== undefined)
      expect(
        seconds,
        say('seconds that the browser keeps the cookie', 'ブラウザーがクッキーを保つ秒数'),
      ).toBeLessThanOrEqual(SESSION_SECONDS + 1)
  },
)

test(say('nobody guesses a session', 'セッションは推測できない'), async ({ random }) => {
  const { apps } = service
  when('one user logs in 200 times', '同じ利用者が200回ログインした')
  const user = random.word()
  const agent = keptConnections(4)
  const logins = await burst(200, (i) => login(apps[i % 2]!, user, { agent })).done
  const values = logins.map(({ cookie }) => cookie.replace('session=', ''))
  expect(new Set(values).size, say('different cookies', '異なるクッキーの数')).toBe(200)
  expect(
    Math.floor(bits(values)),
    say('bits that differ from cookie to cookie', 'クッキーごとに変わるビット数'),
  ).toBeGreaterThanOrEqual(120)

  when('a client makes a cookie up', 'クライアントがクッキーをでっち上げた')
  for (const value of ['1', 'x'.repeat(32), user, '']) {
    expect(await me(apps[0]!, `session=${value}`)).toAnswer(401, { error: 'unauthorized' })
  }
})

test(
  say(
    'a session that the client brings along is not adopted',
    'クライアントが持ち込んだセッションは採用しない',
  ),
  async ({ random }) => {
    const { app1, app2 } = service
    const planted = `session=${random.word(32)}`
    when(
      'a client logs in with a cookie session that somebody else has chosen',
      '他人が決めたクッキーsessionを持ったまま、クライアントがログインした',
    )
    const fresh = await login(app1, 'ann', { headers: { cookie: planted } })
    expect(
      fresh.cookie === planted,
      say('the cookie is the one that was brought along', '持ち込まれたクッキーのままである'),
    ).toBe(false)
    expect(await me(app2, planted), say('the planted cookie', '持ち込まれたクッキー')).toAnswer(401)
    expect(await me(app2, fresh.cookie), say('the new cookie', '新しいクッキー')).toAnswer(200, {
      user: 'ann',
    })
  },
)

test(
  say('logout ends one session, and only that', 'ログアウトで終わるのは、そのセッションだけ'),
  async ({ random }) => {
    const { app1, app2 } = service
    const name = random.word()
    const [phone, laptop] = await Promise.all([login(app1, name), login(app2, name)])
    const odd = [`${name}:admin`, `session:${laptop.cookie.slice(8)}`, `${name}\nadmin`, `views:${name}`]
    const others = await Promise.all(odd.map((user) => login(app1, user)))
    when(
      'a user logs out on the phone, and stays logged in on the laptop',
      'ある利用者がスマートフォンでだけログアウトした',
    )
    await app2.post('/api/logout', undefined, { headers: { cookie: phone.cookie } })
    expect(await me(app1, phone.cookie), say('the phone', 'スマートフォン')).toAnswer(401)
    expect(await me(app1, laptop.cookie), say('the laptop', 'ノートPC')).toAnswer(200, { user: name })
    when('users have names with colons and line ends', '利用者名にコロンや改行が入っている')
    for (const [i, other] of others.entries()) {
      expect(await me(app2, other.cookie)).toAnswer(200, { user: odd[i] })
      await app1.post('/api/logout', undefined, { headers: { cookie: other.cookie } })
    }
    expect(await me(app1, laptop.cookie), say('the laptop', 'ノートPC')).toAnswer(200, { user: name })
  },
)

for (const [how, en, ja] of [
  ['cut', 'the link to Redis is cut', 'Redisへのリンクを切断した'],
  [
    'blackHole',
    'the link to Redis swallows everything (black hole)',
    'Redisへのリンクが何も通さなくなった（ブラックホール）',
  ],
] as const) {
  test(say(`nobody is logged out while ${en}`, `${ja}間も、誰もログアウトされない`), async ({ random }) => {
    const { app1, app2, toRedis } = service
    const user = random.word()
    const { cookie } = await login(app1, user)
    when(`${user} is logged in, and ${en}`, `${user}がログインしたあと、${ja}`)
    toRedis[how]()
    const [there, again, fresh, message] = await Promise.all([
      me(app1, cookie, 3000),
      me(app2, cookie, 3000),
      app1.post('/api/login', { user }, { within: 3000 }),
      app2.post(channel(user), { author: user, text: 'still here' }, { within: 3000 }),
    ])
    for (const answer of [there, again, fresh]) expectUnavailable(answer)
    expect(message, say('a message, which needs no Redis', 'Redisの要らないメッセージ投稿')).toAnswer(201)
    when(
      'the link is whole again, and the browser sends the same cookie',
      'リンクが元に戻り、ブラウザーが同じクッキーを送った',
    )
    await toRedis.open()
    await eventually(
      say('both instances know the user again', '両方のインスタンスが再び利用者を認識する'),
      async () => [(await me(app1, cookie)).status, (await me(app2, cookie)).status],
      [200, 200],
    )
  })
}

test(
  say('a session ends at its time, used or not', '使い続けていても、セッションは時間が来れば終わる'),
  async () => {
    const { app3 } = service
    // Redis was out of its reach a moment ago.
    const { cookie } = await eventually(
      say('ann is logged in at app-3', 'annがapp-3でログインする'),
      () => login(app3, 'ann'),
      ({ answer }) => answer.status === 200,
    )
    when(
      `SESSION_TTL_MS is ${BRIEF_MS} at app-3, and the browser asks all the time`,
      `app-3のSESSION_TTL_MSが${BRIEF_MS}で、ブラウザーが絶えずリクエストを送る`,
    )
    await eventually(
      say('401 at app-3', 'app-3が401を返す'),
      async () => (await me(app3, cookie)).status,
      401,
      {
        within: 3000,
      },
    )
  },
)

/** Sessions may also live in Postgres: then Redis is not missed. */
function expectUnavailable(answer: Answer): void {
  expect(answer).toAnswer([200, 503])
  if (answer.status !== 503) return
  expect(answer).toAnswer(503, { error: 'redis_unavailable' })
  expect(answer.headers['retry-after'], say('Retry-After', 'Retry-After')).toBeDefined()
}
