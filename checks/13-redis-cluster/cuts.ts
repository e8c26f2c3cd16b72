import { expect, say, when, type Link, type Random } from '#harness'
import {
  newKey,
  NODES,
  numberOf,
  put,
  read,
  sees,
  type NodeName,
  type Registers,
} from '../../labs/13-redis-cluster/tests/registers.ts'

/** What came of a number of cuts. */
export interface Tally {
  acknowledged: number
  refused: number
  unknown: number
  /** Cuts in which both sides acknowledged although the network was cut before either was asked. */
  bothSides: number
}

/**
 * Cuts the network in two again and again, at random, and writes on both sides: before the writes, or while they are
 * under way. After each cut all is healed, and both processes must answer the newest acknowledged value or one of
 * unknown outcome that is newer, and the same.
 */
export async function randomCuts(registers: Registers, random: Random, rounds: number): Promise<Tally> {
  const { a, b } = registers
  const key = newKey()
  const tally: Tally = { acknowledged: 0, refused: 0, unknown: 0, bothSides: 0 }
  const notWritten = new Set<unknown>()
  let newest = 0
  for (let round = 0; round < rounds; round++) {
    const left = NODES.filter(() => random.next() < 0.5)
    const right = NODES.filter((name) => !left.includes(name))
    const before = round % 2 === 0
    when(
      `cut ${round + 1}: quorum-a with ${list(left)}, quorum-b with ${list(right)}; a PUT on each side ${before ? 'after' : 'while'} the network is cut`,
      `${round + 1}回目の分断。quorum-aの側は${list(left)}、quorum-bの側は${list(right)}。分断${before ? 'のあと' : 'と同時'}に両側へPUTを送る`,
    )
    const values = [`a${round}`, `b${round}`]
    const sides = () => Promise.all([sees(registers, a, left), sees(registers, b, right)])
    if (before) await sides()
    using cutting = before ? undefined : cutAt(registers, key, random.int(1, 20), left, right)
    const answers = await Promise.all([put(a, key, values[0]), put(b, key, values[1])])
    cutting?.stop()
    const acknowledged = answers.filter(({ status }) => status === 200)
    for (const [i, { status, body }] of answers.entries()) {
      if (status === 200) newest = Math.max(newest, numberOf(body.version))
      else if (body?.outcome === 'not_written') notWritten.add(values[i])
      tally[status === 200 ? 'acknowledged' : body?.outcome === 'unknown' ? 'unknown' : 'refused']++
    }
    if (before && acknowledged.length > 1) tally.bothSides++
    if (before)
      expect(acknowledged.length, say('sides that acknowledged', '承認した側の数')).toBeLessThanOrEqual(1)
    await Promise.all([sees(registers, a, NODES), sees(registers, b, NODES)])
    const first = await read(a, key)
    if (newest === 0 && first.status === 404) continue
    expect(first).toAnswer(200)
    expect(
      numberOf(first.body.version),
      say('number of the version', 'バージョンの番号'),
    ).toBeGreaterThanOrEqual(newest)
    expect(
      notWritten.has(first.body.value),
      say('a value that was "not_written"', '「not_written」と答えた値'),
    ).toBe(false)
    // A write of unknown outcome may come to light between two reads. What one reader has answered, all later ones answer.
    const second = await read(b, key)
    expect(second).toAnswer(200)
    const numbers = [first, second].map(({ body }) => numberOf(body.version)) as [number, number]
    expect(
      numbers[1],
      say('number of the version, read next', '次に読んだバージョンの番号'),
    ).toBeGreaterThanOrEqual(numbers[0])
    expect(
      notWritten.has(second.body.value),
      say('a value that was "not_written"', '「not_written」と答えた値'),
    ).toBe(false)
    const { value, version } = second.body
    expect(await read(a, key)).toAnswer(200, { value, version })
    newest = numberOf(version)
  }
  return tally
}

const list = (names: readonly NodeName[]): string => names.join(', ') || '–'

/** Cuts the network between the sides when so many messages about the key have been on their way: in the middle of a round, or between two. */
function cutAt(
  { a, b, links }: Registers,
  key: string,
  message: number,
  left: readonly NodeName[],
  right: readonly NodeName[],
): ReturnType<Link['beforeForward']> {
  let messages = 0
  const hooks = links.all.map((wire) =>
    wire.beforeForward(({ request, bytes }) => {
      if (!`${request?.text ?? ''}${bytes.toString('latin1')}`.includes(key) || ++messages !== message) return
      for (const name of right) links.link(a.name, name).cut()
      for (const name of left) links.link(b.name, name).cut()
    }),
  )
  const stop = (): void => {
    for (const hook of hooks) hook.stop()
  }
  return { stop, [Symbol.dispose]: stop }
}
