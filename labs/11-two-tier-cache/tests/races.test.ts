import { beforeAll, eventually, expect, say, test, when } from '#harness'
import { insert, newKey, fourServers, type Fleet } from './fleet.ts'
import { answerHeld, messagesReached, warmUp } from './races.ts'
import { cachedRow, converge, inMemory } from './seeing.ts'

let fleet: Fleet

beforeAll(async () => {
  fleet = await fourServers()
})

// #region fill-against-update
test(say('a fill against an update', '書き戻しと更新'), async ({ random }) => {
  const [s0, s1, s2] = fleet.servers
  const control = await warmUp(fleet, random)
  const key = newKey(random)
  await insert(fleet, key, 'v1')

  when(
    'Postgres has answered s0 with v1, and the answer is still on its way; PUT v2 at s1',
    'Postgresがs0へv1を返し、応答はまだ途中にある。s1にv2をPUTする',
  )
  const reading = await answerHeld(fleet, s0!, key)
  expect(await s1!.put(key, 'v2')).toAnswer(200, { value: 'v2' })
  await messagesReached(s0!, s1!, s2!, control)

  when('the answer of Postgres arrives at s0', 'Postgresの応答がs0に届く')
  s0!.toPg.release()
  expect(await reading.answer).toAnswer(200)
  // Had it been stored in Redis, every server would read it there; in memory, s0 alone.
  await converge(fleet.servers.slice(1), key, 'v2', { hint: 2 })
  await converge([s0!], key, 'v2', { hint: 3 })
})
// #endregion fill-against-update

// #region two-writers
test(say('two writers', '二人の書き手'), async ({ random }) => {
  const [s0, s1, s2, s3] = fleet.servers
  await warmUp(fleet, random)
  const key = await cachedRow(fleet, [s0!, s1!, s2!], random)

  when(
    'v2 is committed by s0, whose commands to Redis are held; then PUT v3 at s1',
    's0がv2をコミットし、Redisへのコマンドは途中で止まる。次にs1へv3をPUTする',
  )
  s0!.toRedis.hold('request')
  const writing = s0!.put(key, 'v2')
  await eventually(
    say('v2 committed', 'v2がコミットされる'),
    async () => (await fleet.db.sql('SELECT value FROM items WHERE key = $1', [key]))[0]?.value,
    'v2',
  )
  expect(await s1!.put(key, 'v3')).toAnswer(200, { value: 'v3' })

  when('the commands of s0 reach Redis', 's0のコマンドがRedisに届く')
  s0!.toRedis.release()
  expect(await writing).toAnswer(200, { value: 'v2' })
  // s3 has never read this key: what it answers comes from Redis.
  await converge([s3!, s0!, s1!, s2!], key, 'v3', { hint: 2 })
})
// #endregion two-writers

test(say('absent against create', '「存在しない」と作成'), async ({ random }) => {
  const [s0, s1, s2] = fleet.servers
  const control = await warmUp(fleet, random)
  const key = newKey(random)

  when(
    'Postgres has told s0 that there is no row, and the answer is still on its way; PUT at s1',
    'Postgresがs0に「行はない」と返し、応答はまだ途中にある。s1にPUTする',
  )
  const reading = await answerHeld(fleet, s0!, key)
  expect(await s1!.put(key, 'new')).toAnswer(200)
  await messagesReached(s0!, s1!, s2!, control)

  when('the answer of Postgres arrives at s0', 'Postgresの応答がs0に届く')
  s0!.toPg.release()
  expect(await reading.answer).toAnswer([200, 404])
  await converge(fleet.servers.slice(1), key, 'new', { hint: 2 })
  await converge([s0!], key, 'new', { hint: 3 })
  await inMemory(fleet, fleet.servers, key)
})
