import { beforeAll, expect, say, test, when, type Link } from '#harness'
import { quietPair } from './lent.ts'
import { as, reads, rowsLabel, rowsOf, type Pair } from './pair.ts'

let pair: Pair

beforeAll(async () => {
  pair = await quietPair()
  // Step split has seen to this; here it is only the reading that counts.
  await pair.server2.put('/api/profile', { displayName: 'Nancy' }, as('nancy789'))
  await pair.server1.put('/api/profile', { displayName: 'Bob' }, as('bob456'))
})

const over = (link: Link) =>
  say(
    `requests over ${link.name}, without /health and /api/sync/`,
    `${link.name}のリクエスト数（/healthと/api/sync/を除く）`,
  )

test(
  say("the other server's user is read with one request", '相手のユーザーは1回の問い合わせで読む'),
  async () => {
    const { server1, to1, to2 } = pair
    const before = [reads(to2), reads(to1)]
    when('alice123 reads nancy789 at server-1', 'alice123がserver-1でnancy789を読んだ')
    expect(await server1.get('/api/user/nancy789/profile', as('alice123'))).toAnswer(200, {
      userId: 'nancy789',
      displayName: 'Nancy',
      server: 'server-2',
      partition: 'N-Z',
      fetchedFrom: 'server-2',
      requestedBy: 'alice123',
    })
    expect(reads(to2) - before[0]!, over(to2)).toBe(1)
    expect(reads(to1) - before[1]!, over(to1)).toBe(0)
  },
)

test(say('an own user is read without asking the peer', '自分のユーザーは相手に聞かずに読む'), async () => {
  const { server1, to2 } = pair
  const before = reads(to2)
  when('alice123 reads bob456 at server-1', 'alice123がserver-1でbob456を読んだ')
  expect(await server1.get('/api/user/bob456/profile', as('alice123'))).toAnswer(200, {
    userId: 'bob456',
    displayName: 'Bob',
    server: 'server-1',
    partition: 'A-M',
    fetchedFrom: 'server-1',
    requestedBy: 'alice123',
  })
  expect(reads(to2) - before, over(to2)).toBe(0)
})

test(
  say('reading an unknown user creates nothing', '存在しないユーザーを読んでも何も作られない'),
  async () => {
    when('alice123 reads olga404, who has no profile', 'alice123がプロフィールのないolga404を読んだ')
    const answer = await pair.server1.get('/api/user/olga404/profile', as('alice123'))
    expect(answer, undefined, { hint: 2 }).toAnswer(404, { error: 'not_found' })
    expect(await rowsOf(pair, 'olga404'), rowsLabel('olga404'), { hint: 2 }).toEqual([0, 0])
  },
)
