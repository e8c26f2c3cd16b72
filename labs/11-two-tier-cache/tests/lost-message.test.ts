import { beforeAll, expect, say, test, when } from '#harness'
import { insert, newKey, path, type Fleet } from './fleet.ts'
import { breakListeners, impatientServers } from './lost-message.ts'
import { cachedRow, converge } from './seeing.ts'

let fleet: Fleet

beforeAll(async () => {
  ;({ fleet } = await impatientServers())
})

const broken = say('connections broken', '切れた接続の数')

// #region cut
test(say('a server misses a message', 'メッセージを受け取りそこねる'), async ({ random }) => {
  const [s0, s1] = fleet.servers
  const key = await cachedRow(fleet, fleet.servers, random)
  when("s0's link to Redis is cut; PUT v2 at s1", 's0とRedisの間を切り、s1にv2をPUTする')
  expect(s0!.toRedis.cut(), broken).toBeGreaterThan(0)
  expect(await s1!.put(key, 'v2')).toAnswer(200, { value: 'v2' })
  expect(await s0!.get(key), say('s0, meanwhile', 'その間のs0')).toAnswer(200)
  when('the link is restored', 'リンクを戻す')
  await s0!.toRedis.open()
  await converge(fleet.servers, key, 'v2', { within: 2000, hint: 2 })
})
// #endregion cut

// #region filled-meanwhile
test(say('what was read during the cut', '切れている間に読んだもの'), async ({ random }) => {
  const [s0, s1] = fleet.servers
  const known = await cachedRow(fleet, fleet.servers, random)
  const key = newKey(random)
  await insert(fleet, key, 'v1')
  when(
    "s0's link to Redis is cut; s0 reads a key that it has not",
    's0とRedisの間を切り、s0がまだ持っていないキーを読む',
  )
  expect(s0!.toRedis.cut(), broken).toBeGreaterThan(0)
  for (const each of [key, key, known]) {
    const answer = await s0!.role.get(path(each), { within: 3000 })
    expect(answer, undefined, { hint: answer.status === 0 ? 3 : 1 }).toAnswer(200, { value: 'v1' })
  }
  when('PUT v2 at s1; then the link is restored', 's1にv2をPUTし、それからリンクを戻す')
  expect(await s1!.put(key, 'v2')).toAnswer(200)
  await s0!.toRedis.open()
  await converge(fleet.servers, key, 'v2', { within: 2000, hint: 2 })
})
// #endregion filled-meanwhile

test(say('the listeners are thrown out', '購読している接続が切られる'), async ({ random }) => {
  const [, s1] = fleet.servers
  const key = await cachedRow(fleet, fleet.servers, random)
  when(
    'Redis closes every connection that listens (CLIENT KILL); at once PUT v2 at s1',
    'Redisが購読している接続をすべて閉じ（CLIENT KILL）、直後にs1へv2をPUTする',
  )
  expect(await breakListeners(fleet), broken).toBeGreaterThan(0)
  expect(await s1!.put(key, 'v2')).toAnswer(200)
  await converge(fleet.servers, key, 'v2', { within: 2000, hint: 2 })
})
