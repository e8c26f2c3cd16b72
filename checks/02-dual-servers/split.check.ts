import { ahead, beforeAll, expect, say, test, when } from '#harness'
import { quietPair, watchingPair } from '../../labs/02-dual-servers/tests/lent.ts'
import { as, rowsLabel, rowsOf, type Pair } from '../../labs/02-dual-servers/tests/pair.ts'
import { briefPair } from './brief.ts'

/** The first and last of every half, here and in step 1's own cut. */
const AT_THE_CUTS = 'AFGMNSTZ'.split('')

let pair: Pair
let others: Record<string, Promise<Pair>>

beforeAll(async () => {
  pair = await quietPair()
  // Pairs that later steps need, and that are cut elsewhere for this one.
  others = { 'A-F / G-Z': ahead(briefPair), 'A-S / T-Z': ahead(() => watchingPair({ shut: true })) }
})

const CAPITALS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ'.split('')

/** Status of `GET /api/profile` at both servers, for a user of each of these letters in both cases. */
async function statusByLetter(
  { server1, server2 }: Pair,
  capitals: string[],
): Promise<Record<string, number[]>> {
  const seen: Record<string, number[]> = {}
  for (const letter of [...capitals, ...capitals.map((capital) => capital.toLowerCase())]) {
    const user = as(`${letter}-nobody`)
    const answers = await Promise.all([server1, server2].map((server) => server.get('/api/profile', user)))
    seen[letter] = answers.map(({ status }) => status)
  }
  return seen
}

/** Every letter has one owner: 404 there, 421 at the other. Shows only the letters that differ. */
async function expectCut(cut: Pair, name: string, capitals = CAPITALS): Promise<void> {
  const last = name[2]!
  when(
    `users of ${2 * capitals.length} first letters ask both servers, cut at ${name}`,
    `先頭${2 * capitals.length}文字のユーザーが両サーバーに聞いた（分割は${name}）`,
  )
  const seen = await statusByLetter(cut, capitals)
  const wanted = ([letter]: [string, unknown]) => (letter.toUpperCase() <= last ? [404, 421] : [421, 404])
  const wrong = Object.entries(seen).filter((entry) => String(entry[1]) !== String(wanted(entry)))
  expect(
    Object.fromEntries(wrong),
    say(
      'first letters without 404 at their own server and 421 at the other',
      '担当で404、担当外で421にならなかった先頭文字',
    ),
  ).toEqual({})
}

test(say('every letter has one owner', 'どの文字にも担当は1台だけ'), async () => {
  await expectCut(pair, 'A-M / N-Z')
})

test(say('ids that differ in case are two users', '大文字と小文字が違えば別のユーザー'), async () => {
  const { server1 } = pair
  when('Alice and alice each save a profile', 'Aliceとaliceがそれぞれプロフィールを保存した')
  for (const id of ['Alice', 'alice'])
    expect(await server1.put('/api/profile', { displayName: `${id}!` }, as(id))).toAnswer(200)
  for (const id of ['Alice', 'alice'])
    expect(await server1.get('/api/profile', as(id))).toAnswer(200, { userId: id, displayName: `${id}!` })
})

test(say('an id that nobody owns is refused by both', '誰の担当でもないIDは両方が断る'), async () => {
  for (const server of [pair.server1, pair.server2]) {
    when(`a request without x-user-id to ${server.name}`, `x-user-idのないリクエストを${server.name}に送った`)
    expect(await server.get('/api/profile')).toAnswer(400, { error: 'missing_user_id' })
    for (const id of ['9lives', '_root', '-x', 'a'.repeat(65), 'a b', 'alice%20x']) {
      when(`GET /api/profile of ${id} at ${server.name}`, `${id}が${server.name}にGET /api/profileを送った`)
      expect(await server.get('/api/profile', as(id))).toAnswer(400, { error: 'invalid_user_id' })
    }
  }
})

test(say('no header changes the owner', 'どんなヘッダーでも担当は変わらない'), async () => {
  for (const header of [
    'x-requesting-server',
    'x-server-name',
    'x-peer-name',
    'x-internal',
    'x-forwarded-by',
  ]) {
    when(`nancy asks server-1 with ${header}: server-2`, `nancyが${header}: server-2を付けてserver-1に聞いた`)
    const nancy = as('nancy', { [header]: 'server-2' })
    expect(await pair.server1.put('/api/profile', { displayName: 'x' }, nancy)).toAnswer(421)
    expect(await rowsOf(pair, 'nancy'), rowsLabel('nancy')).toEqual([0, 0])
  }
})

test(say('a bad body is refused and creates no row', '不正な本文は断られ、行も作られない'), async () => {
  const bodies = [
    '{"displayName":',
    {},
    [],
    { displayName: 7 },
    { displayName: '' },
    { displayName: 'x'.repeat(101) },
  ]
  for (const body of bodies) {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    when(`dora sends PUT /api/profile with ${text}`, `doraがPUT /api/profileで${text}を送った`)
    const dora = as('dora', { 'content-type': 'application/json' })
    expect(await pair.server1.put('/api/profile', body, dora)).toAnswer(400, { error: 'invalid_profile' })
  }
  expect(await rowsOf(pair, 'dora'), rowsLabel('dora')).toEqual([0, 0])
})

test(say('a name comes back as it was saved', '名前は保存したとおりに返る'), async () => {
  const names = [`O'Brien "the %"`, '日本語の名前', '🦊 & 🐻‍❄️', 'x'.repeat(100)]
  for (const displayName of names) {
    when(`emma saves the name ${displayName}`, `emmaが名前「${displayName}」を保存した`)
    expect(await pair.server1.put('/api/profile', { displayName }, as('emma'))).toAnswer(200, { displayName })
    expect(await pair.server1.get('/api/profile', as('emma'))).toAnswer(200, { displayName })
    expect(await rowsOf(pair, 'emma'), rowsLabel('emma')).toEqual([1, 0])
  }
})

test(say('the cut may be elsewhere', '分割の位置は変えられる'), async () => {
  for (const [name, other] of Object.entries(others)) await expectCut(await other, name, AT_THE_CUTS)
})
