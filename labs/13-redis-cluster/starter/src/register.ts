import { Redis } from 'ioredis'
import { milliseconds, required, SERVER_NAME } from './config.ts'
import type { Version } from './version.ts'

const QUORUM_TIMEOUT_MS = milliseconds('QUORUM_TIMEOUT_MS', 300)
const urls = required('NODE_URLS').split(',')
// TODO(quorum): WRITE_QUORUM and READ_QUORUM of how many? Which pairs must be refused?

// TODO(quorum): one node of five; when it is gone, so is everything.
const node = new Redis(urls[0]!, {
  commandTimeout: QUORUM_TIMEOUT_MS,
  connectTimeout: QUORUM_TIMEOUT_MS,
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  retryStrategy: () => 50,
})
node.on('error', () => {}) // told by the command that was under way

/** Resolves when the node was reached, or not, once. */
export const tried = new Promise<void>((resolve) => node.once('ready', resolve).once('close', resolve))
export const connected = (): number => (node.status === 'ready' ? 1 : 0)
export const of = urls.length

/** Too few nodes answered a round. */
export class NoQuorum extends Error {
  readonly acks = 0
  readonly needed = 1
  // TODO(partition): when is a refused write certainly not written?
  readonly outcome: 'not_written' | 'unknown' = 'unknown'
}

// #region round
// TODO(quorum): ask all nodes, and be content with enough answers.
// TODO(partition): enough of what?
const ask = <T>(work: Promise<T>): Promise<T> =>
  work.catch(() => {
    throw new NoQuorum()
  })
// #endregion round

// #region put
export async function put(key: string, value: unknown): Promise<Version & { acks: number }> {
  const n = Number((await ask(node.hget(`reg:${key}`, 'n'))) ?? 0) + 1
  // TODO(quorum): a node stores whatever comes last. What if a write comes late?
  await ask(node.hset(`reg:${key}`, { n, w: SERVER_NAME, d: JSON.stringify(value) }))
  return { n, w: SERVER_NAME, acks: 1 }
}
// #endregion put

// #region get
export async function get(key: string): Promise<(Version & { value: unknown }) | undefined> {
  // TODO(partition): what was answered once must be met by every later reader.
  const [n, w, d] = await ask(node.hmget(`reg:${key}`, 'n', 'w', 'd'))
  return n && w && d ? { n: Number(n), w, value: JSON.parse(d) } : undefined
}
// #endregion get

export function leaveNodes(): void {
  node.disconnect()
}
