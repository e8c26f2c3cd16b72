import { HttpObserver } from './http-observer.ts'
import { PostgresObserver } from './postgres-observer.ts'
import { RedisObserver } from './redis-observer.ts'
import { epoch, now, type Exchange, type Protocol } from './types.ts'

/** A run of bytes that belongs to at most one request or one answer. */
export interface Segment {
  bytes: Buffer
  /** The request that is told in these bytes: until they have passed the target can't begin with it. */
  begins?: Exchange
  /** The request that these bytes answer. */
  answers?: Exchange
  /** They are the last of that answer. */
  completes?: boolean
  /** Part of a request that begins in another segment. */
  inside?: boolean
}

/** Watches both directions of one connection and cuts them at message boundaries. Never changes a byte. */
export interface Observer {
  request(chunk: Buffer): Segment[]
  reply(chunk: Buffer): Segment[]
  /** The target has ended its side: the answer that is complete by that, if there is one. */
  replyEnd(): Exchange | undefined
  /** Requests whose answer is not complete, oldest first. */
  readonly pending: readonly Exchange[]
}

export const newExchange = (of: Partial<Exchange> & { text: string }): Exchange => ({
  method: '',
  path: '',
  headers: {},
  at: epoch(now()),
  delivered: false,
  outcome: 'waiting',
  ...of,
})

const plain: Observer = {
  request: (bytes) => [{ bytes }],
  reply: (bytes) => [{ bytes }],
  replyEnd: () => undefined,
  pending: [],
}

export function observe(protocol: Protocol): Observer {
  if (protocol === 'http') return new HttpObserver()
  if (protocol === 'postgres') return new PostgresObserver()
  if (protocol === 'redis') return new RedisObserver()
  return plain
}
