import { beforeAll, expect, say, test, when } from '#harness'
import { each, insert, newKey, fourServers, type Fleet } from './fleet.ts'
import { BY_MEMORY } from './seeing.ts'

let fleet: Fleet

beforeAll(async () => {
  fleet = await fourServers()
})

// #region falsy
const VALUES = [0, false, '', null, [], {}, '0', 'null', { a: [1, { b: null }], c: '' }]

test(say('nine values that mean something', '意味のある9個の値'), async ({ random }) => {
  const [s0, s1] = fleet.servers
  for (const value of VALUES) {
    const text = JSON.stringify(value)
    const key = newKey(random)
    const version = await insert(fleet, key, value)
    const body = { key, value, version }

    when(`a row with the value ${text} is read at s0`, `値が${text}の行をs0で読む`)
    expect((await s0!.get(key)).body, say('answer of s0', 's0の応答')).toEqual(body)
    when(`then at s1, where ${text} comes from Redis`, `次にs1で読む。${text}はRedisから来る`)
    const shared = await fleet.watch(() => s1!.get(key))
    expect(shared.asked(key).statements, say('statements', '文の数')).toBe(0)
    expect(shared.result.body, say('answer of s1', 's1の応答'), { hint: 3 }).toEqual(body)
    when(`then at both again, from memory`, `もう一度両方で読む。今度はメモリから来る`)
    const again = await fleet.watch(() => each([s0!, s1!], key))
    for (const answer of again.result)
      expect(answer.body, say(`${text} from memory`, `メモリから読んだ${text}`), { hint: 3 }).toEqual(body)
    expect(again.asked(key), say(`commands and statements for ${text}`, `${text}のためのコマンドと文の数`), {
      hint: 2,
    }).toEqual(BY_MEMORY)
  }
})
// #endregion falsy

// #region absent
test(say('"absent" is an answer, too', '「存在しない」も答え'), async ({ random }) => {
  const [s0, s1] = fleet.servers
  const key = newKey(random)
  when('an unknown key is read at s0', '存在しないキーをs0で読む')
  expect(await s0!.get(key)).toAnswer(404, { error: 'not_found' })
  when('and again at s0, then at s1', 'もう一度s0で、次にs1で読む')
  const again = await fleet.watch(() => each([s0!, s1!], key))
  for (const answer of again.result) expect(answer).toAnswer(404, { error: 'not_found' })
  expect(again.asked(key).statements, say('statements', '文の数'), { hint: 2 }).toBe(0)
})
// #endregion absent
