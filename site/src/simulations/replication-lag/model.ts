import { choose, type Candidate } from '../../../../solutions/07-replication-lag/src/choose.ts'
import { formatLsn, later, parseLsn, type Lsn } from '../../../../solutions/07-replication-lag/src/lsn.ts'
import { randomFrom } from '../../kit/random.ts'

export type Policy = 'none' | 'clock' | 'primary' | 'token' | 'monotonic'
export type Reader = 'buyer' | 'friend'

export interface Settings {
  policy: Policy
  /** Milliseconds that each replica is behind. */
  lags: readonly [number, number]
  /** A replica that replays nothing at all. */
  paused: readonly [boolean, boolean]
  servers: 1 | 2
  seed: number
}

export interface Read {
  reader: Reader
  /** Milliseconds after the payment. */
  at: number
  node: 'primary' | 'replica-1' | 'replica-2'
  /** `back`: this reader had seen the payment before. `stale`: the buyer does not see her own. `old`: a friend may. */
  seen: 'paid' | 'stale' | 'back' | 'old'
}

export interface Totals {
  reads: number
  stale: number
  back: number
  primary: number
}

/** One read of each reader every quarter of a second, for five seconds. */
export const EVERY_MS = 250
export const READS = 20
const FRIEND_LATER_MS = 125
const CLOCK_MS = 1000
const WAIT_MS = 200

const BEFORE: Lsn = parseLsn('1/3A8')!
const PAID: Lsn = parseLsn('1/1000')!
export const TOKEN = formatLsn(PAID)

interface Session {
  token: Lsn
  seenPaid: boolean
  wrote: boolean
}

/** What the two readers see of one payment, made at server-1. */
export function oneSession(settings: Settings): Read[] {
  const random = randomFrom(settings.seed)
  const sessions: Record<Reader, Session> = {
    buyer: { token: keepsToken(settings.policy) ? PAID : 0n, seenPaid: false, wrote: true },
    friend: { token: 0n, seenPaid: false, wrote: false },
  }
  const reads: Read[] = []
  for (let i = 1; i <= READS; i++) {
    for (const reader of ['buyer', 'friend'] as const) {
      const at = i * EVERY_MS + (reader === 'friend' ? FRIEND_LATER_MS : 0)
      const server = settings.servers === 2 && random() < 0.5 ? 2 : 1
      // Other people's reads have moved the server's round robin meanwhile: whose turn it is, is a matter of luck.
      const turn = Math.floor(random() * 2)
      reads.push(read(settings, { reader, at, server, turn }, sessions[reader]))
    }
  }
  return reads
}

/** A thousand reads: 25 payments, and twenty reads of each of the two readers. */
export function totals(settings: Settings): Totals {
  const all = Array.from({ length: 25 }, (_, i) =>
    oneSession({ ...settings, seed: settings.seed * 1000 + i }),
  ).flat()
  const share = (test: (read: Read) => boolean): number => all.filter(test).length
  return {
    reads: all.length,
    stale: share(({ seen, reader }) => reader === 'buyer' && seen !== 'paid'),
    back: share(({ seen }) => seen === 'back'),
    primary: share(({ node }) => node === 'primary'),
  }
}

interface Request {
  reader: Reader
  at: number
  server: 1 | 2
  turn: number
}

function read(settings: Settings, { reader, at, server, turn }: Request, session: Session): Read {
  const { node, position } = place(settings, at, server, turn, session)
  const paid = position >= PAID
  const seen = paid ? 'paid' : session.seenPaid ? 'back' : reader === 'buyer' ? 'stale' : 'old'
  session.seenPaid ||= paid
  if (settings.policy === 'monotonic') session.token = later(session.token, position)
  return { reader, at, node, seen }
}

interface Place {
  node: Read['node']
  position: Lsn
}

/** Which node answers, and where it stands. */
function place(settings: Settings, at: number, server: 1 | 2, turn: number, session: Session): Place {
  const primary: Place = { node: 'primary', position: PAID }
  if (settings.policy === 'primary' && session.wrote) return primary
  // Only the server that took the payment knows when that was.
  if (settings.policy === 'clock' && session.wrote && server === 1 && at < CLOCK_MS) return primary
  for (const waited of [0, WAIT_MS]) {
    const replicas = [0, 1].map((i) => replicaAt(settings, i as 0 | 1, at + waited))
    const first = choose(replicas, { need: session.token, maxLagMs: Infinity }, turn)[0]!
    if (first.replayed >= session.token) return { node: first.node, position: first.replayed }
  }
  return primary
}

interface SimulatedReplica extends Candidate {
  node: 'replica-1' | 'replica-2'
  replayed: Lsn
}

function replicaAt({ lags, paused }: Settings, i: 0 | 1, at: number): SimulatedReplica {
  const behind = paused[i] || at < lags[i]
  return {
    node: i === 0 ? 'replica-1' : 'replica-2',
    up: true,
    replayed: behind ? BEFORE : PAID,
    lagSeconds: behind ? at / 1000 : 0,
  }
}

function keepsToken(policy: Policy): boolean {
  return policy === 'token' || policy === 'monotonic'
}
