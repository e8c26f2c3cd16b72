import { ahead, beforeAll, eventually, expect, say, test, throughout, when } from '#harness'
import { randomCuts } from './cuts.ts'
import { everywhere, loseSecond, plant } from './rounds.ts'
import {
  copies,
  newKey,
  NODES,
  numberOf,
  openRegisters,
  put,
  read,
  sees,
  seeAll,
  sharedRegisters,
  type Registers,
} from '../../labs/13-redis-cluster/tests/registers.ts'

let registers: Registers
let unequal: Promise<Registers>

beforeAll(async () => {
  registers = await sharedRegisters()
  await seeAll(registers)
})

// #region no-going-back
test(say('reads don’t go back', '読み取りは後戻りしない'), async () => {
  const { a, b } = registers
  const key = newKey()
  const n = await everywhere(registers, key, 'old')
  await plant(registers, key, 'new', n + 1, ['q3'])
  unequal = ahead(() => openRegisters({ WRITE_QUORUM: 4, READ_QUORUM: 2, QUORUM_TIMEOUT_MS: 2000 }))
  await sees(registers, a, ['q3', 'q4', 'q5'])
  when(
    'a newer version is on q3 alone; quorum-a sees q3, q4, q5',
    '新しいバージョンはq3だけにある。quorum-aにはq3、q4、q5が見える',
  )
  expect(await read(a, key)).toAnswer(200, { value: 'new' })
  expect(
    await copies(registers, key, 'new'),
    say('nodes that hold it when the answer came', '応答の時点で、それを持つノードの数'),
    { hint: 3 },
  ).toBeGreaterThanOrEqual(3)
  await sees(registers, b, ['q1', 'q2', 'q4'])
  when('then quorum-b reads, which sees q1, q2, q4', '続いて、q1、q2、q4が見えるquorum-bで読む')
  expect(await read(b, key), undefined, { hint: 3 }).toAnswer(200, { value: 'new' })
  await Promise.all([sees(registers, a, NODES), sees(registers, b, NODES)])
})
// #endregion no-going-back

// #region two-agree
test(say('two that agree may be all there are', '二台が一致しても、その二台だけかもしれない'), async () => {
  const four = await unequal
  const key = newKey()
  const n = await everywhere(four, key, 'old')
  await plant(four, key, 'new', n + 1, ['q1', 'q2'])
  for (const name of ['q3', 'q4', 'q5']) four.links.link('quorum-a', name).delay(100)
  when(
    'WRITE_QUORUM=4, READ_QUORUM=2; a newer version is on q1 and q2, which answer quorum-a first',
    'WRITE_QUORUM=4、READ_QUORUM=2。新しいバージョンを持つq1とq2が、quorum-aに最初に答える',
  )
  const { body } = await read(four.a, key)
  for (const name of ['q1', 'q2']) four.links.link('quorum-b', name).delay(100)
  if (body?.value !== 'new') return expect(body?.value, say('value', '値')).toBe('old')
  when('then quorum-b reads, whom q3, q4 and q5 answer first', '続いて、q3、q4、q5が先に答えるquorum-bで読む')
  expect(await read(four.b, key), undefined, { hint: 3 }).toAnswer(200, { value: 'new' })
})
// #endregion two-agree

test(say('cut at random', '無作為の分断'), async ({ random }) => {
  const tally = await randomCuts(registers, random, 8)
  expect(tally.acknowledged, say('acknowledged writes', '承認された書き込みの数')).toBeGreaterThan(0)
})

test(say('a version is given once', '同じバージョンは一度だけ'), async () => {
  const { a, b, links } = registers
  const key = newKey()
  await everywhere(registers, key, 'old')
  when(
    'PUT X at quorum-a; its second round reaches q4 and q5 only',
    'quorum-aにXをPUTする。2巡目はq4とq5にしか届かない',
  )
  const hooks = loseSecond(registers, key, ['q1', 'q2', 'q3'])
  const answer = await put(a, key, 'X')
  for (const hook of hooks) hook.stop()
  expect(answer).toAnswer([200, 503])
  await sees(registers, a, ['q1', 'q2', 'q3'])
  when('it is cut off from these two, and gets PUT Y', 'その二台から切り離され、YのPUTを受ける')
  expect(await put(a, key, 'Y')).toAnswer(200)
  links.link('quorum-b', 'q3').delay(30)
  await sees(registers, b, ['q3', 'q4', 'q5'])
  links.link('quorum-b', 'q3').delay(30)
  when('quorum-b reads; it sees q3, q4, q5', 'q3、q4、q5が見えるquorum-bで読む')
  for (let i = 0; i < 3; i++) expect(await read(b, key)).toAnswer(200, { value: 'Y' })
  await Promise.all([sees(registers, a, NODES), sees(registers, b, NODES)])
})

test(say('readers in turn, during 50 writes', '50回の書き込みの間、交互に読む'), async () => {
  const { a, b } = registers
  const key = newKey()
  when('50 PUTs at quorum-a, GETs at both in turn', 'quorum-aにPUTを50回送り、両方で交互にGETする')
  let last = 0
  let turn = 0
  const next = async (): Promise<[before: number, number]> => {
    const before = last
    const answer = await read([a, b][turn++ % 2]!, key)
    last = answer.status === 404 ? last : numberOf(answer.body?.version)
    return [before, last]
  }
  const rises = ([before, now]: [number, number]): boolean => now >= before
  await throughout(
    say('a version not older than the one before', '直前より古くないバージョン'),
    next,
    rises,
    async () => {
      for (let i = 0; i < 50; i++) expect(await put(a, key, i)).toAnswer(200)
    },
    { every: 0 },
  )
})

// #region writer-killed
test(say('a writer dies between its rounds', '書き手が1巡目と2巡目の間で落ちる'), async () => {
  const { a, b } = registers
  const key = newKey()
  await everywhere(registers, key, 'old')
  when(
    'PUT at quorum-a, whose second round reaches q1 and q2 only, and then it is killed (SIGKILL)',
    'quorum-aへのPUTの2巡目がq1とq2にだけ届き、そこで強制終了（SIGKILL）する',
  )
  const hooks = loseSecond(registers, key, ['q3', 'q4', 'q5'])
  const writing = put(a, key, 'new')
  await eventually(
    say('its second round', '2巡目'),
    async () => hooks.every((hook) => hook.lost) || (await copies(registers, key, 'new')) > 0,
  )
  await a.kill()
  await writing
  for (const hook of hooks) hook.stop()
  const seen: unknown[] = []
  for (const side of [
    ['q1', 'q2', 'q3'],
    ['q3', 'q4', 'q5'],
    ['q1', 'q3', 'q5'],
  ] as const) {
    await sees(registers, b, side)
    seen.push((await read(b, key)).body?.value)
  }
  expect(['old', 'new'], say('what a reader answers', '読み手の答え')).toContain(seen[0])
  expect(
    seen,
    say('what readers answer, with other nodes in sight each time', '見えるノードを変えながら読んだ答え'),
    { hint: 3 },
  ).toEqual([seen[0], seen[0], seen[0]])
})
// #endregion writer-killed
