import { beforeAll, expect, say, test, when } from '#harness'
import { NODES, newKey, sharedRegisters, put, read, sees, type Registers } from './registers.ts'

let registers: Registers

beforeAll(async () => {
  registers = await sharedRegisters()
})

// #region minority
test(say('two of five are not enough', '五台中二台では足りない'), async () => {
  const { a } = registers
  const key = newKey()
  expect(await put(a, key, 1)).toAnswer(200)
  await sees(registers, a, ['q4', 'q5'])
  for (let i = 0; i < 6; i++) {
    when(
      `quorum-a sees q4 and q5 only: PUT and GET, number ${i + 1}`,
      `quorum-aにはq4とq5しか見えない。${i + 1}回目のPUTとGET`,
    )
    const refused = { error: 'no_quorum', acks: 2, needed: 3 }
    const written = await put(a, key, 2)
    expect(written, undefined, { hint: 2 }).toAnswer(503, refused)
    const found = await read(a, key)
    expect(found).toAnswer(503, refused)
    // QUORUM_TIMEOUT_MS is 1000 here, and one round has failed.
    for (const { ms } of [written, found]) expect(ms, say('milliseconds', 'ミリ秒')).toBeLessThan(1500)
  }
  await sees(registers, a, NODES)
})
// #endregion minority

// #region seed
test(say('1000 on one side, 2000 on the other', '一方に1000、もう一方に2000'), async () => {
  const { a, b } = registers
  const key = newKey()
  expect(await put(a, key, 500)).toAnswer(200)
  when(
    'the network is cut: quorum-a sees q1, q2, q3, quorum-b sees q4, q5',
    'ネットワークが割れる。quorum-aにはq1、q2、q3、quorum-bにはq4、q5が見える',
  )
  await Promise.all([sees(registers, a, ['q1', 'q2', 'q3']), sees(registers, b, ['q4', 'q5'])])
  expect(await put(a, key, 1000)).toAnswer(200, { value: 1000 })
  for (let value = 2000; value < 2006; value++) {
    expect(await put(b, key, value), undefined, { hint: 2 }).toAnswer(503, {
      outcome: 'not_written',
      acks: 2,
    })
  }
  expect(await read(b, key)).toAnswer(503, { error: 'no_quorum' })

  when('the network is whole again', 'ネットワークが元に戻る')
  await Promise.all([sees(registers, a, NODES), sees(registers, b, NODES)])
  for (const role of [a, b])
    expect(await read(role, key), undefined, { hint: 2 }).toAnswer(200, { value: 1000 })
  when(
    'both must ask quorum-b’s old side: q1 and q2 are cut off',
    'q1とq2を切り離し、quorum-bの側だったノードに聞くしかなくする',
  )
  await Promise.all([a, b].map((role) => sees(registers, role, ['q3', 'q4', 'q5'])))
  for (const role of [a, b])
    expect(await read(role, key), undefined, { hint: 2 }).toAnswer(200, { value: 1000 })
})
// #endregion seed
