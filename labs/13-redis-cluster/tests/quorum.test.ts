import { beforeAll, expect, freePort, say, startCommand, test, when } from '#harness'
import {
  connected,
  copies,
  envOf,
  newKey,
  sharedRegisters,
  put,
  read,
  start,
  type Registers,
} from './registers.ts'

let registers: Registers

beforeAll(async () => {
  registers = await sharedRegisters()
})

// #region two-killed
test(
  say('written here, read there, with two nodes dead', 'こちらで書き、あちらで読む。二台が落ちても'),
  async () => {
    const { a, b, node } = registers
    const key = newKey()
    when('PUT at quorum-a', 'quorum-aにPUTを送る')
    expect(await put(a, key, 'first')).toAnswer(200, { key, value: 'first' })
    expect(
      await copies(registers, key, 'first'),
      say('nodes that hold the value', '値を持つノードの数'),
    ).toBeGreaterThanOrEqual(3)
    when('GET at quorum-b', 'quorum-bにGETを送る')
    expect(await read(b, key)).toAnswer(200, { key, value: 'first' })
    expect(await read(b, newKey())).toAnswer(404, { error: 'not_found' })

    when(
      'q1 and q2 are killed (SIGKILL); PUT at quorum-a, GET at quorum-b',
      'q1とq2を強制終了する（SIGKILL）。quorum-aにPUT、quorum-bにGETを送る',
    )
    await Promise.all([node.q1.kill(), node.q2.kill()])
    expect(await put(a, key, 'second')).toAnswer(200, { value: 'second' })
    expect(await read(b, key)).toAnswer(200, { value: 'second' })
    await Promise.all([node.q1.start(), node.q2.start()])
  },
)
// #endregion two-killed

test(say('quorums that need not meet are refused', '出会わない定足数は拒む'), async () => {
  const { links } = registers
  const pairs = [
    [2, 3],
    [6, 3],
    [3, 6],
  ] as const
  const started = await Promise.all(
    pairs.map(async ([write, wanted]) => {
      const env = envOf(links, 'quorum-a', { WRITE_QUORUM: write, READ_QUORUM: wanted })
      return startCommand('quorum', {
        name: `quorum-${write}-${wanted}`,
        env: { ...env, PORT: String(await freePort()), SERVER_NAME: 'refused' },
        within: 4000,
      })
    }),
  )
  for (const [i, [write, wanted]] of pairs.entries()) {
    when(
      `the role is started with WRITE_QUORUM=${write}, READ_QUORUM=${wanted} of five`,
      `5台でWRITE_QUORUM=${write}、READ_QUORUM=${wanted}として起動する`,
    )
    const exit = await started[i]!.ended()
    // A process that was ended by a signal has none.
    expect(exit.code ?? 0, say('exit status, other than 0', '0以外の終了コード')).toBeGreaterThan(0)
    expect(exit.lines.join('\n').trim().length, say('length of the reason', '理由の文字数')).toBeGreaterThan(
      0,
    )
  }
})

test(say('four writers, two readers', '書き込み四台、読み取り二台'), async () => {
  const { links } = registers
  const unequal = { WRITE_QUORUM: 4, READ_QUORUM: 2 }
  const four = await start(links, 'quorum-a', unequal)
  const key = newKey()
  when('WRITE_QUORUM=4, READ_QUORUM=2: PUT', 'WRITE_QUORUM=4、READ_QUORUM=2でPUTを送る')
  await connected(four, 5)
  expect(await put(four, key, 42)).toAnswer(200, { value: 42 })
  expect(
    await copies(registers, key, 42),
    say('nodes that hold the value', '値を持つノードの数'),
  ).toBeGreaterThanOrEqual(4)
  expect(await read(four, key)).toAnswer(200, { value: 42 })
})
