import { beforeAll, expect, say, test, when } from '#harness'
import { newKey, fourServers, type Fleet } from './fleet.ts'
import { cachedRow, converge, inMemory, seen } from './seeing.ts'

let fleet: Fleet

beforeAll(async () => {
  fleet = await fourServers()
})

// #region everywhere
test(say('a price is corrected', '価格を直す'), async ({ random }) => {
  const { servers } = fleet
  const [s0] = servers
  const key = await cachedRow(fleet, servers, random, 1000)
  when('all four have 1000 in memory, then PUT 100 at s0', '4台とも1000を覚えている。s0に100をPUTする')
  expect(await s0!.put(key, 100)).toAnswer(200, { key, value: 100 })
  expect(seen(await s0!.get(key)), say('s0, at once', '直後のs0')).toBe(100)
  await converge(servers, key, 100)
})
// #endregion everywhere

test(say('what was absent comes into being', '存在しなかったものができる'), async ({ random }) => {
  const [s0, s1, s2] = fleet.servers
  const key = newKey(random)
  when('s0 and s1 have answered 404, and remember it', 's0とs1が404を返し、それを覚えている')
  for (const server of [s0!, s1!]) expect(await server.get(key)).toAnswer(404)
  await inMemory(fleet, [s0!, s1!], key)
  when('PUT at s2', 's2にPUTする')
  expect(await s2!.put(key, 'here')).toAnswer(200, { value: 'here' })
  await converge([s0!, s1!, s2!], key, 'here')
})

test(say('a body without a value', 'valueのない本文'), async ({ random }) => {
  const [s0] = fleet.servers
  const key = newKey(random)
  for (const body of [{}, { values: 1 }, [], 'no JSON', undefined]) {
    when(`PUT with the body ${JSON.stringify(body)}`, `本文${JSON.stringify(body)}でPUTする`)
    const answer = await s0!.role.put(`/items/${key}`, body)
    expect(answer).toAnswer(400, { error: 'bad_request' })
  }
  expect(await s0!.get(key)).toAnswer(404)
})
