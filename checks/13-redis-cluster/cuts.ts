import { expect, say, when, type Link, type Random } from '#harness'
import {
  isOlder,
  newKey,
  NODES,
  put,
  read,
  sees,
  versionOf,
  type NodeName,
  type Registers,
  type Version,
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
 * under way. After each cut all is healed, and readers in turn must answer the newest acknowledged value or a newer one
 * of unknown outcome, and never go back.
 */
export async function randomCuts(registers: Registers, random: Random, rounds: number): Promise<Tally> {
  const { a, b } = registers
  const key = newKey()
  const tally: Tally = { acknowledged: 0, refused: 0, unknown: 0, bothSides: 0 }
  const notWritten = new Set<unknown>()
  let newest: Version | undefined
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
      if (status === 200) {
        const version = versionOf(body.version)
        if (!newest || isOlder(newest, version)) newest = version
      }
      if (body?.outcome === 'not_written') notWritten.add(values[i])
      tally[status === 200 ? 'acknowledged' : body?.outcome === 'unknown' ? 'unknown' : 'refused']++
    }
    if (before && acknowledged.length > 1) tally.bothSides++
    if (before)
      expect(acknowledged.length, say('sides that acknowledged', '承認した側の数')).toBeLessThanOrEqual(1)
    await Promise.all([sees(registers, a, NODES), sees(registers, b, NODES)])
    // A write of unknown outcome may come to light at any read, and stays from then on.
    for (const role of [a, b, a, b]) {
      const answer = await read(role, key)
      if (!newest && answer.status === 404) continue
      expect(answer).toAnswer(200)
      const { body } = answer
      const version = versionOf(body.version)
      const older = newest !== undefined && isOlder(version, newest)
      expect(
        older,
        say(
          `${body.version} is older than what was answered before`,
          `${body.version}は、前に答えたものより古い`,
        ),
      ).toBe(false)
      expect(
        notWritten.has(body.value),
        say('a value that was "not_written"', '「not_written」と答えた値'),
      ).toBe(false)
      newest = version
    }
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
