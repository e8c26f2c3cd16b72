import { ahead, beforeAll, eventually, expect, say, test, when } from '#harness'
import { dropFromRedis, expiringServers, rows } from '../../labs/11-two-tier-cache/tests/expiry.ts'
import { insert, newKey, type Fleet, type Server } from '../../labs/11-two-tier-cache/tests/fleet.ts'
import { fromMemory, memoryLabel, seen } from '../../labs/11-two-tier-cache/tests/seeing.ts'

let fleet: Fleet
let small: Server
let s1: Server
/** Has room for 50 entries, and none yet: what a server drops first when it is full is its own affair. */
let empty: Promise<Server>

beforeAll(async () => {
  ;({ fleet, small, s1 } = await expiringServers())
  empty = ahead(() => fleet.server({ L1_MAX: 50 }))
})

test(say('"absent" takes room, too', '「存在しない」も場所を取る'), async ({ random }) => {
  const keys = Array.from({ length: 120 }, () => newKey(random))
  when(
    'a server with L1_MAX=50 is asked for 120 unknown keys, then for the same again',
    'L1_MAX=50のサーバーに、存在しないキー120個を2周尋ねる',
  )
  await fromMemory(fleet, small, keys)
  expect(await fromMemory(fleet, small, keys), memoryLabel).toBeLessThanOrEqual(50)
})

test(say('overwriting takes no more room', '上書きしても場所は増えない'), async ({ random }) => {
  const keys = await rows(fleet, random, 40)
  const often = newKey(random)
  const at = await empty
  await fromMemory(fleet, at, keys)
  when(
    'L1_MAX=50 and 40 keys in memory; another key is written and read 30 times',
    'L1_MAX=50で40個が入っている。別のキーを30回書いて読む',
  )
  for (let i = 0; i < 30; i++) {
    expect(await at.put(often, i)).toAnswer(200)
    expect(seen(await at.get(often)), say('what was written', '書いたもの')).toBe(i)
  }
  expect(
    await fromMemory(fleet, at, keys),
    say('of the 40 keys, still in memory', '40個のうちメモリに残っている数'),
  ).toBeGreaterThanOrEqual(20)
})

test(say('"absent" is the first to be forgotten', '「存在しない」は先に忘れる'), async ({ random }) => {
  const key = newKey(random)
  when(
    'NEGATIVE_TTL_MS=200 and L1_TTL_MS=600000; an unknown key is read',
    'NEGATIVE_TTL_MS=200、L1_TTL_MS=600000。存在しないキーを読む',
  )
  expect(await s1.get(key)).toAnswer(404)
  when('the row is inserted by SQL, and Redis forgets the key', '行をSQLで挿入し、Redisからもキーを消す')
  await insert(fleet, key, 'here')
  await dropFromRedis(fleet, key)
  await eventually(
    say('the row seen within 2 s', '2秒以内に行が見える'),
    async () => seen(await s1.get(key)),
    'here',
    { within: 2000 },
  )
})
