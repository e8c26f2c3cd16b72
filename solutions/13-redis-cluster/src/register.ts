import { randomUUID } from 'node:crypto'
import { Redis } from 'ioredis'
import { milliseconds, required, SERVER_NAME } from './config.ts'
import { enoughForReaders, isSame, newest, quorumsMeet, type Version } from './version.ts'

const QUORUM_TIMEOUT_MS = milliseconds('QUORUM_TIMEOUT_MS', 300)
const urls = required('NODE_URLS').split(',')
const NODES = urls.length
const WRITE = Number(required('WRITE_QUORUM'))
const READ = Number(required('READ_QUORUM'))

if (!quorumsMeet(NODES, WRITE, READ)) {
  console.error(`WRITE_QUORUM=${WRITE} and READ_QUORUM=${READ} of ${NODES} nodes need not meet in one node`)
  process.exit(78)
}

/** A value with its version; `d` is its JSON. */
interface Entry extends Version {
  d: string
}

/** Too few nodes answered a round. */
export class NoQuorum extends Error {
  readonly acks: number
  readonly needed: number
  /** Has any node been asked to store something? */
  outcome: 'not_written' | 'unknown' = 'not_written'

  constructor(acks: number, needed: number) {
    super(`${acks} of ${needed} answered`)
    this.acks = acks
    this.needed = needed
  }
}

const nodes = urls.map((url) => {
  const node = new Redis(url, {
    commandTimeout: QUORUM_TIMEOUT_MS,
    connectTimeout: QUORUM_TIMEOUT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    retryStrategy: () => 50,
  })
  node.on('error', () => {}) // counted by the round that it spoils
  return node
})

/** Resolves when each node was reached, or not, once. */
export const tried = Promise.all(
  nodes.map((node) => new Promise<void>((resolve) => node.once('ready', resolve).once('close', resolve))),
)

export const connected = (): number => nodes.filter(({ status }) => status === 'ready').length
export const of = NODES

// #region round
/** Asks all nodes and resolves with the first `needed` answers: of all nodes there are, not of those in sight. */
function round<T>(needed: number, ask: (node: Redis) => Promise<T>): Promise<[T, ...T[]]> {
  return new Promise((resolve, reject) => {
    const answers: T[] = []
    let open = NODES
    const settled = (): void => {
      if (answers.length >= needed) resolve([...answers] as [T, ...T[]])
      else if (--open === 0) reject(new NoQuorum(answers.length, needed))
    }
    for (const node of nodes) {
      void ask(node).then((answer) => {
        answers.push(answer)
        settled()
      }, settled)
    }
  })
}
// #endregion round

// #region nodes
/** A node stores only what is newer than what it holds, so a write that arrives late harms nobody. */
const STORE = `
  -- By bytes, as version.ts does: Lua's own comparison of texts goes by the locale of the node.
  local function follows(a, b)
    for i = 1, math.min(#a, #b) do
      local left, right = a:byte(i), b:byte(i)
      if left ~= right then return left > right end
    end
    return #a > #b
  end
  local held = redis.call('HMGET', KEYS[1], 'n', 'w')
  local n, heldN = tonumber(ARGV[1]), tonumber(held[1] or 0)
  if n > heldN or (n == heldN and follows(ARGV[2], held[2] or '')) then
    redis.call('HSET', KEYS[1], 'n', ARGV[1], 'w', ARGV[2], 'd', ARGV[3])
  end
  return 1`

async function read(node: Redis, key: string): Promise<Entry> {
  const [n, w, d] = await node.hmget(`reg:${key}`, 'n', 'w', 'd')
  return { n: Number(n ?? 0), w: w ?? '', d: d ?? '' }
}

const storeAt =
  (key: string, { n, w, d }: Entry) =>
  (node: Redis) =>
    node.eval(STORE, 1, `reg:${key}`, n, w, d)
// #endregion nodes

// #region put
/** A writer that was started again has forgotten which numbers it used: by its name it is another one. */
const WRITER = `${SERVER_NAME}-${randomUUID().slice(0, 8)}`
/** The largest number that this process has given to a write, or has seen. No number is given twice. */
let largest = 0

export async function put(key: string, value: unknown): Promise<Version & { acks: number }> {
  const seen = await round(READ, (node) => read(node, key))
  largest = Math.max(largest, newest(seen).n) + 1
  const entry = { n: largest, w: WRITER, d: JSON.stringify(value) }
  try {
    const acks = await round(WRITE, storeAt(key, entry))
    return { n: entry.n, w: entry.w, acks: acks.length }
  } catch (error) {
    // Some node may hold it, or get it later: nobody can say any more that it was not written.
    if (error instanceof NoQuorum) error.outcome = 'unknown'
    throw error
  }
}
// #endregion put

// #region get
export async function get(key: string): Promise<(Version & { value: unknown }) | undefined> {
  const seen = await round(READ, (node) => read(node, key))
  const found = newest(seen)
  if (found.n === 0) return undefined
  const holders = seen.filter((entry) => isSame(entry, found)).length
  // Answered now, it must be met by every later reader: on too few nodes it is written first.
  if (holders < enoughForReaders(NODES, READ)) await round(WRITE, storeAt(key, found))
  return { n: found.n, w: found.w, value: JSON.parse(found.d) }
}
// #endregion get

export function leaveNodes(): void {
  for (const node of nodes) node.disconnect()
}
