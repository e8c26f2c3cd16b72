import { beforeAll, expect, say, test, when } from '#harness'
import { each, insert, newKey, fourServers, type Fleet } from './fleet.ts'
import { BY_MEMORY, readFrom } from './seeing.ts'

let fleet: Fleet

beforeAll(async () => {
  fleet = await fourServers()
})

// #region tiers
test(say('memory, then Redis, then Postgres', 'メモリ、Redis、Postgresの順'), async ({ random }) => {
  const [s0, s1] = fleet.servers
  const key = newKey(random)
  const version = await insert(fleet, key, 1000)
  const body = { key, value: 1000, version }

  when('the first read of a key, at s0', 's0で、あるキーを初めて読む')
  expect(await readFrom('db', fleet, s0!, key)).toAnswer(200, body)
  when('the same key at s0 again', 's0で同じキーをもう一度読む')
  expect(await readFrom('l1', fleet, s0!, key)).toAnswer(200, body)
  when('the same key at s1, for the first time there', 's1で同じキーを初めて読む')
  expect(await readFrom('l2', fleet, s1!, key)).toAnswer(200, body)
})
// #endregion tiers

test(say('one statement serves four servers', '4台に対して文は一つ'), async ({ random }) => {
  const key = newKey(random)
  await insert(fleet, key, { price: 100 })
  when('s0, s1, s2 and s3 read a new key in turn', '新しいキーをs0、s1、s2、s3が順に読む')
  const first = await fleet.watch(() => each(fleet.servers, key))
  for (const answer of first.result) expect(answer).toAnswer(200, { value: { price: 100 } })
  expect(first.asked(key).statements, say('statements naming the key', 'そのキーを含む文の数')).toBe(1)

  const named = say('commands and statements naming the key', 'そのキーを含むコマンドと文の数')
  when('s0, which read first, reads it again', '最初に読んだs0が、もう一度読む')
  const again = await fleet.watch(() => fleet.servers[0]!.get(key))
  expect(again.asked(key), named, { hint: 2 }).toEqual(BY_MEMORY)

  when('all four read it once more, and then twice', '4台がもう1周し、それからさらに2周する')
  await each(fleet.servers, key)
  const more = await fleet.watch(async () => {
    for (let i = 0; i < 2; i++) await each(fleet.servers, key)
  })
  expect(more.asked(key), named, { hint: 2 }).toEqual(BY_MEMORY)
})

test(say('a key that is no row is 404', '行のないキーは404'), async ({ random }) => {
  when('a read of an unknown key', '存在しないキーを読む')
  expect(await fleet.servers[0]!.get(newKey(random))).toAnswer(404, { error: 'not_found' })
})
