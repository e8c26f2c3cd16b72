import { hashedPart, slotOf, SLOTS } from '../../../../solutions/13-redis-cluster/src/slots.ts'
import { newest, quorumsMeet, type Version } from '../../../../solutions/13-redis-cluster/src/version.ts'

export { SLOTS }
export const NODES = 5
export const RULES = ['healthy', 'clock', 'two-rounds', 'write-back'] as const
export type Rule = (typeof RULES)[number]
export type Client = 'A' | 'B'

export interface Placement {
  key: string
  /** What of the key is hashed. */
  part: string
  slot: number
  /** 0 to 2. */
  node: number
}

/** Where keys lie. @param borders first slot of the second and of the third node */
export function place(keys: readonly string[], borders: readonly [number, number]): Placement[] {
  return keys.map((key) => {
    const slot = slotOf(key)
    return { key, part: hashedPart(key), slot, node: slot < borders[0] ? 0 : slot < borders[1] ? 1 : 2 }
  })
}

export interface Settings {
  rule: Rule
  write: number
  read: number
  /** Which client each node can talk to while the wire is cut. */
  sides: readonly Client[]
  /** After the healing A writes 3000 and dies when so many nodes have it; 0: it does not. */
  reached: number
}

interface Entry extends Version {
  value: number
}

export type Outcome = 'acknowledged' | 'refused' | 'not_written' | 'unknown'

export interface Result {
  writes: { client: Client; value: number; acks: number; needed: number; outcome: Outcome }[]
  /** What every node holds after the healing, and after the writer's death. */
  held: Entry[]
  /** All that a reader may answer, whichever nodes answer it first. */
  answers: number[]
  /** Both sides of the cut acknowledged. */
  splitBrain: boolean
  /** Some reader does not see the last acknowledged write. */
  lost: boolean
  /** Some reader sees a write that was refused. */
  resurrected: boolean
  /** Two readers one after the other may see new, then old. */
  backward: boolean
  /** The role refuses to start with these sizes. */
  meets: boolean
}

const BEFORE: Entry = { n: 1, w: 'A', value: 500 }

/** Before the cut all hold 500. Then A writes 1000, B writes 2000, the wire is mended, and somebody reads. */
export function simulate({ rule, write, read, sides, reached }: Settings): Result {
  const held: Entry[] = sides.map(() => BEFORE)
  const writes = (['A', 'B'] as const).map((client, i) =>
    attempt(held, sides, client, 1000 * (i + 1), { rule, write, read, now: 10 + i }),
  )
  const last = writes.findLast(({ outcome }) => outcome === 'acknowledged')?.value ?? BEFORE.value
  const acknowledged = writes.filter(({ outcome }) => outcome === 'acknowledged')
  const refused = writes.filter(({ outcome }) => outcome === 'refused' || outcome === 'not_written')
  for (let node = 0; node < reached; node++) {
    held[node] = { n: rule === 'two-rounds' || rule === 'write-back' ? 9 : 20, w: 'A', value: 3000 }
  }
  const seen = quorums(NODES, rule === 'healthy' ? 3 : read).map((set) =>
    newest(set.map((node) => held[node]!) as [Entry, ...Entry[]]),
  )
  const answers = [...new Set(seen.map(({ value }) => value))].toSorted((a, b) => a - b)
  const meets = quorumsMeet(NODES, write, read)
  return {
    writes,
    held,
    answers,
    splitBrain: acknowledged.length > 1,
    // 3000 is newer than all, and its writer never heard of its fate: it may be seen or not.
    lost: answers.some((value) => value !== last && value !== 3000 && !isUnknown(writes, value)),
    resurrected: refused.some(({ value }) => answers.includes(value)),
    backward: answers.length > 1 && !(rule === 'write-back' && meets),
    meets,
  }
}

function isUnknown(writes: Result['writes'], value: number): boolean {
  return writes.some((write) => write.outcome === 'unknown' && write.value === value)
}

interface Attempt extends Pick<Settings, 'rule' | 'write' | 'read'> {
  /** The writer's clock. */
  now: number
}

/** One write by one client, to the nodes on its side; what it leaves there stays, whatever it is told. */
function attempt(
  held: Entry[],
  sides: readonly Client[],
  client: Client,
  value: number,
  { rule, write, read, now }: Attempt,
): Result['writes'][number] {
  const visible = sides.flatMap((side, node) => (side === client ? [node] : []))
  const acks = visible.length
  const asksFirst = rule === 'two-rounds' || rule === 'write-back'
  const needed = rule === 'healthy' ? Math.max(1, Math.floor(acks / 2) + 1) : write
  if (asksFirst && acks < read) return { client, value, acks, needed: read, outcome: 'not_written' }
  const n = asksFirst ? Math.max(...visible.map((node) => held[node]!.n)) + 1 : now
  for (const node of visible) held[node] = newest([held[node]!, { n, w: client, value }])
  const outcome = acks >= needed ? 'acknowledged' : asksFirst ? 'unknown' : 'refused'
  return { client, value, acks, needed, outcome }
}

/** All sets of `size` nodes. */
function quorums(nodes: number, size: number): number[][] {
  const all = Array.from({ length: 2 ** nodes }, (_, bits) =>
    Array.from({ length: nodes }, (_unused, node) => node).filter((node) => bits & (1 << node)),
  )
  return all.filter((set) => set.length === size)
}
