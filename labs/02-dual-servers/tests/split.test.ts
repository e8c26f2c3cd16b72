import { beforeAll, expect, say, test, when } from '#harness'
import { quietPair } from './lent.ts'
import { as, rowsLabel, rowsOf, type Pair } from './pair.ts'

let pair: Pair

beforeAll(async () => {
  pair = await quietPair()
})

type User = [id: string, home: 1 | 2]

const FIRST_HALF: User[] = [
  ['alice123', 1],
  ['bob456', 1],
  ['mike345', 1],
]
const SECOND_HALF: User[] = [
  ['nancy789', 2],
  ['oscar012', 2],
  ['zoe678', 2],
]

test(say('server-1 serves the users from A to M', 'server-1はAからMのユーザーを担当する'), () =>
  servedAtHome(FIRST_HALF),
)

test(say('server-2 serves the users from N to Z', 'server-2はNからZのユーザーを担当する'), () =>
  servedAtHome(SECOND_HALF),
)

async function servedAtHome(users: User[]): Promise<void> {
  for (const [id, home] of users) {
    const server = home === 1 ? pair.server1 : pair.server2
    const profile = {
      userId: id,
      displayName: `I am ${id}`,
      server: server.name,
      partition: home === 1 ? 'A-M' : 'N-Z',
    }
    when(`${id} sends PUT /api/profile to ${server.name}`, `${id}が${server.name}にPUT /api/profileを送った`)
    expect(await server.put('/api/profile', { displayName: `I am ${id}` }, as(id))).toAnswer(200, profile)
    expect(await rowsOf(pair, id), rowsLabel(id)).toEqual(home === 1 ? [1, 0] : [0, 1])
    when(`${id} sends GET /api/profile to ${server.name}`, `${id}が${server.name}にGET /api/profileを送った`)
    expect(await server.get('/api/profile', as(id))).toAnswer(200, profile)
  }
}

test(
  say('the other server points to the right one', '担当外のサーバーは正しいサーバーを案内する'),
  async () => {
    for (const [id, home] of [...FIRST_HALF, ...SECOND_HALF]) {
      const wrong = home === 1 ? pair.server2 : pair.server1
      const pointer = {
        error: 'misdirected_request',
        correctServer: home === 1 ? 'server-1' : 'server-2',
        correctUrl: home === 1 ? pair.to1.url : pair.to2.url,
      }
      // A user without a profile: a row in either database would come from here.
      const visitor = `${id}-x`
      when(`${visitor} sends PUT and GET to ${wrong.name}`, `${visitor}が${wrong.name}にPUTとGETを送った`)
      expect(await wrong.put('/api/profile', { displayName: 'x' }, as(visitor))).toAnswer(421, pointer)
      expect(await wrong.get('/api/profile', as(visitor))).toAnswer(421, pointer)
      expect(await rowsOf(pair, visitor), rowsLabel(visitor)).toEqual([0, 0])
    }
  },
)

// #region reads-only
test(
  say('reading a missing profile creates nothing', '存在しないプロフィールを読んでも何も作られない'),
  async () => {
    when(
      'carol has no profile and sends GET /api/profile',
      'プロフィールのないcarolがGET /api/profileを送った',
    )
    const answer = await pair.server1.get('/api/profile', as('carol'))
    expect(answer, undefined, { hint: 2 }).toAnswer(404, { error: 'not_found' })
    expect(await rowsOf(pair, 'carol'), rowsLabel('carol'), { hint: 2 }).toEqual([0, 0])
  },
)
// #endregion reads-only
