import { beforeAll, burst, eventually, expect, say, test, when, type Exchange } from '#harness'
import {
  connected,
  copies,
  heldBy,
  isOlder,
  newKey,
  NODES,
  seeAll,
  sharedRegisters,
  put,
  read,
  versionOf,
  type Registers,
} from '../../labs/13-redis-cluster/tests/registers.ts'

let registers: Registers

beforeAll(async () => {
  registers = await sharedRegisters()
  await seeAll(registers)
})

const VERSIONS = say('versions', 'バージョン')

// #region late-write
test(say('a write that arrives late', '遅れて届く書き込み'), async () => {
  const { a, b, links, node } = registers
  const key = newKey()
  const wire = links.link('quorum-a', 'q5')
  wire.hold('request')
  const passed: Exchange[] = []
  using hook = wire.beforeForward(({ request }) => {
    if (request) passed.push(request)
  })
  when(
    'quorum-a’s requests to q5 are held; PUT v1 at quorum-a, then PUT v2 at quorum-b',
    'quorum-aからq5へのリクエストを止め、quorum-aにv1、続いてquorum-bにv2をPUTする',
  )
  expect(await put(a, key, 'v1')).toAnswer(200)
  expect(await put(b, key, 'v2')).toAnswer(200)
  expect(wire.held.request, say('bytes held on the way to q5', 'q5の手前で止まったバイト数')).toBeGreaterThan(
    0,
  )
  wire.release('request')
  await eventually(
    say('what was held has reached q5 and was answered', '止まっていたものがq5に届き、応答があった'),
    () =>
      wire.held.request === 0 && passed.length > 0 && passed.every(({ outcome }) => outcome !== 'waiting'),
  )
  hook.stop()
  when('what was held has reached q5', '止まっていたものがq5に届いた')
  const held = await heldBy(node.q5, key)
  expect(held?.value ?? 'nothing', say('what q5 holds', 'q5が持つ値'), { hint: 3 }).not.toBe('v1')
  for (const role of [a, b])
    expect(await read(role, key), undefined, { hint: 3 }).toAnswer(200, { value: 'v2' })
})
// #endregion late-write

test(say('20 writes at once', '同時に20の書き込み'), async () => {
  const { a, node } = registers
  const key = newKey()
  when('20 PUTs of one key at quorum-a, at once', 'quorum-aに、同じキーのPUTを20件同時に送る')
  const answers = await burst(20, (i) => put(a, key, i)).done
  for (const answer of answers) expect(answer).toAnswer(200)
  expect(new Set(answers.map(({ body }) => body.version)).size, VERSIONS).toBe(20)
  const largest = answers.reduce((best, next) =>
    isOlder(versionOf(best.body.version), versionOf(next.body.version)) ? next : best,
  )
  for (const name of NODES) {
    const held = await heldBy(node[name], key)
    const newer = held && isOlder(versionOf(largest.body.version), versionOf(held.version))
    expect(
      newer ? held.version : undefined,
      say(
        `version on ${name}, newer than any that was acknowledged`,
        `${name}が持つ、承認されたどれよりも新しいバージョン`,
      ),
    ).toBeUndefined()
  }
  const { value, version } = largest.body
  expect(await read(a, key)).toAnswer(200, { value, version })
})

test(say('two writers at once', '同時に二人の書き手'), async () => {
  const { a, b } = registers
  const key = newKey()
  when('10 PUTs at each of the two processes, all at once', '二つのプロセスに10件ずつ、同時にPUTを送る')
  const answers = await burst(20, (i) => put([a, b][i % 2]!, key, i)).done
  const given = answers.filter(({ status }) => status === 200).map(({ body }) => body)
  expect(given.length, say('acknowledged', '承認された数')).toBe(20)
  expect(new Set(given.map(({ version }) => version)).size, VERSIONS).toBe(20)
  const first = await read(a, key)
  expect(
    given.map(({ value, version }) => ({ value, version })),
    say('acknowledged writes', '承認された書き込み'),
  ).toContainEqual({ value: first.body?.value, version: first.body?.version })
  expect(await read(b, key)).toAnswer(200, { value: first.body.value, version: first.body.version })
})

test(say('a minority that swallows everything', 'すべてを飲み込む少数派'), async () => {
  const { a, links } = registers
  const key = newKey()
  links.isolate('quorum-a', { from: ['q1', 'q2'], by: 'blackHole' })
  when('q1 and q2 swallow all that quorum-a sends', 'q1とq2が、quorum-aの送るものをすべて飲み込む')
  for (let i = 0; i < 3; i++) {
    for (const answer of [await put(a, key, i), await read(a, key)]) {
      expect(answer).toAnswer(200, { value: i })
      // Two rounds of QUORUM_TIMEOUT_MS, for whoever waits for the silent ones.
      expect(answer.ms, say('milliseconds', 'ミリ秒')).toBeLessThan(2500)
    }
  }
  await links.heal({ reset: true })
})

test(say('a node comes back empty', 'ノードが空で戻ってくる'), async () => {
  const { a, b, node } = registers
  const key = newKey()
  for (const role of [a, b]) await connected(role, 5)
  expect(await put(a, key, 'kept')).toAnswer(200)
  await eventually(say('nodes that hold it', '値を持つノードの数'), () => copies(registers, key, 'kept'), 5)
  when('q3 is killed and started again, empty', 'q3を強制終了し、空の状態で起動し直す')
  await node.q3.kill()
  await node.q3.start()
  for (const role of [a, b, a, b]) expect(await read(role, key)).toAnswer(200, { value: 'kept' })
})

test(say('values of every kind', 'あらゆる値'), async () => {
  const { a, b } = registers
  for (const value of [0, null, '', false, [], {}, '日本語', { a: [1, null] }, 'x'.repeat(5000)]) {
    const key = newKey()
    const text = JSON.stringify(value).slice(0, 30)
    when(`PUT {"value":${text}}`, `{"value":${text}}をPUTする`)
    expect((await put(a, key, value)).status).toBe(200)
    expect((await read(b, key)).body?.value, say('value', '値')).toEqual(value)
  }
})
