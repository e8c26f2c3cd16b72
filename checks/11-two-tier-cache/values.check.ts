import { beforeAll, eventually, expect, say, test, when } from '#harness'
import { dropFromRedis, livesOf } from '../../labs/11-two-tier-cache/tests/expiry.ts'
import {
  fourServers,
  insert,
  newKey,
  type Fleet,
  type Server,
} from '../../labs/11-two-tier-cache/tests/fleet.ts'
import { seen } from '../../labs/11-two-tier-cache/tests/seeing.ts'

const NEGATIVE_TTL_MS = 200
let fleet: Fleet
let server: Server
let other: Server

beforeAll(async () => {
  fleet = await fourServers()
  ;[server, other] = await Promise.all([fleet.server({ NEGATIVE_TTL_MS }), fleet.server({ NEGATIVE_TTL_MS })])
})

async function appears(key: string, value: unknown): Promise<void> {
  await insert(fleet, key, value)
  await eventually(
    say(`${key} read back once "absent" has expired`, `「存在しない」の期限が切れたあとに${key}が読める`),
    async () => seen(await server.get(key)),
    value,
    { within: 3000, hint: 2 },
  )
}

test(say('"absent" has a short life', '「存在しない」の寿命は短い'), async ({ random }) => {
  const key = newKey(random)
  when('NEGATIVE_TTL_MS=200; an unknown key is read', 'NEGATIVE_TTL_MS=200。存在しないキーを読む')
  expect(await server.get(key)).toAnswer(404)
  const [life] = await livesOf(fleet, [key], NEGATIVE_TTL_MS)
  expect(life, say('life left in Redis, in ms', 'Redisでの残り寿命（ミリ秒）')).toBeLessThanOrEqual(
    NEGATIVE_TTL_MS,
  )
  when('the row is inserted by SQL', 'その行をSQLで挿入する')
  await appears(key, 'here')
})

test(say('keys that objects know already', 'オブジェクトが最初から知っているキー'), async () => {
  const names = ['constructor', '__proto__', 'toString', 'hasOwnProperty']
  for (const key of names) {
    when(`${key} is read twice at both servers; there is no such row`, `行のない${key}を、2台で2回ずつ読む`)
    for (const at of [server, other, server, other])
      expect(await at.get(key), undefined, { hint: 3 }).toAnswer(404, { error: 'not_found' })
  }
  when('then they are inserted by SQL', 'それらをSQLで挿入する')
  await Promise.all(names.map((key, i) => appears(key, i)))
  // Other servers of this run have never heard of these names, and are to meet them as new.
  await fleet.db.sql('DELETE FROM items WHERE key = ANY($1)', [names])
  for (const key of names) await dropFromRedis(fleet, key)
})

test(say('long and strange strings', '長い文字列、変わった文字列'), async ({ random }) => {
  const strange = [
    'x'.repeat(65_536),
    '"quoted" \\\\ \\n',
    '\u0001\u001f\b\f\r\n\t\u007f\u2028',
    '🦊日本語\uFEFF',
    '{"found":false}',
    'undefined',
  ]
  for (const value of strange) {
    const key = newKey(random)
    const shown = JSON.stringify(value.slice(0, 30))
    await insert(fleet, key, value)
    when(`a row with ${shown} is read twice at both servers`, `値が${shown}の行を2台で2回ずつ読む`)
    for (const at of [server, other, server, other])
      expect((await at.get(key)).body?.value, say('the value', '値'), { hint: 3 }).toBe(value)
    when(`PUT of ${shown}`, `${shown}をPUTする`)
    expect((await server.put(key, value)).body?.value, say('the value', '値'), { hint: 3 }).toBe(value)
    expect((await other.get(key)).body?.value, say('the value', '値'), { hint: 3 }).toBe(value)
  }
})
