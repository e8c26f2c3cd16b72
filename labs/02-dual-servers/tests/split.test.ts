import { beforeAll, expect, say, test, when } from '#harness'
import { as, startPair, type Pair } from './pair.ts'

let pair: Pair

beforeAll(async () => {
  pair = await startPair({ quiet: true })
})

const USERS: [id: string, home: 1 | 2][] = [
  ['alice123', 1],
  ['bob456', 1],
  ['mike345', 1],
  ['nancy789', 2],
  ['oscar012', 2],
  ['zoe678', 2],
]

const rowsOf = (id: string) =>
  Promise.all(
    [pair.db1, pair.db2].map(
      async (db) => (await db.sql('SELECT user_id FROM users WHERE user_id = $1', [id])).length,
    ),
  )

test(say('each user is served at their own server', '利用者は自分の担当サーバーで処理される'), async () => {
  for (const [id, home] of USERS) {
    const server = home === 1 ? pair.server1 : pair.server2
    when(`${id} sends PUT /api/profile to ${server.name}`, `${id}が${server.name}へPUT /api/profileを送る`)
    const profile = {
      userId: id,
      displayName: `I am ${id}`,
      server: server.name,
      partition: home === 1 ? 'A-M' : 'N-Z',
    }
    expect(await server.put('/api/profile', { displayName: `I am ${id}` }, as(id))).toAnswer(200, profile)
    expect(await server.get('/api/profile', as(id))).toAnswer(200, profile)
    expect(await rowsOf(id), say(`rows of ${id} in pg-1 and pg-2`, `pg-1とpg-2にある${id}の行数`)).toEqual(
      home === 1 ? [1, 0] : [0, 1],
    )
  }
})

test(
  say('the other server points to the right one', '担当外のサーバーは正しいサーバーを案内する'),
  async () => {
    for (const [id, home] of USERS) {
      const wrong = home === 1 ? pair.server2 : pair.server1
      const right = home === 1 ? 'server-1' : 'server-2'
      const url = home === 1 ? pair.to1.url : pair.to2.url
      const visitor = `${id}-x`
      when(`${visitor} sends PUT and GET to ${wrong.name}`, `${visitor}が${wrong.name}へPUTとGETを送る`)
      const pointer = { error: 'misdirected_request', correctServer: right, correctUrl: url }
      expect(await wrong.put('/api/profile', { displayName: 'x' }, as(visitor))).toAnswer(421, pointer)
      expect(await wrong.get('/api/profile', as(visitor))).toAnswer(421, pointer)
      expect(
        await rowsOf(visitor),
        say(`rows of ${visitor} in pg-1 and pg-2`, `pg-1とpg-2にある${visitor}の行数`),
      ).toEqual([0, 0])
    }
  },
)

test(
  say('reading a missing profile creates nothing', '存在しないプロフィールを読んでも何も作られない'),
  async () => {
    when('carol has no profile and sends GET /api/profile', 'プロフィールのないcarolがGET /api/profileを送る')
    expect(await pair.server1.get('/api/profile', as('carol')), undefined, { hint: 2 }).toAnswer(404, {
      error: 'not_found',
    })
    expect(await rowsOf('carol'), say('rows of carol in pg-1 and pg-2', 'pg-1とpg-2にあるcarolの行数'), {
      hint: 2,
    }).toEqual([0, 0])
  },
)
