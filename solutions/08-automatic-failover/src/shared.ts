import { Redis } from 'ioredis'
import { CHECK_INTERVAL_MS, CHECK_TIMEOUT_MS, LEASE_TTL_MS } from './config.ts'
import type { View } from './decide.ts'
import { REDIS_URL, SERVER_NAME } from './env.ts'

interface Member {
  name: string
  url: string
}

export interface Topology {
  epoch: number
  primary: Member
  replicas: Member[]
}

const TOPOLOGY = 'pg:topology'
const LEASE = 'pg:lease'
const OBSERVERS = 'pg:observers'
const CANDIDATES = 'pg:candidates'
const RESEED = 'pg:reseed'
const FORCED = 'pg:forced'

/** Without Redis nobody leads, and the checks go on: no command may hold them up. */
export const redis = new Redis(REDIS_URL, {
  commandTimeout: Math.min(1000, LEASE_TTL_MS / 2),
  maxRetriesPerRequest: 0,
  // What was asked before the connection broke is old by the time it is back.
  autoResendUnfulfilledCommands: false,
  retryStrategy: () => Math.min(200, LEASE_TTL_MS / 5),
})
redis.on('error', () => {}) // the command that was under way reports it

// #region lease
const RENEW = `
  local owner = redis.call('GET', KEYS[1])
  if owner == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  if owner then return 0 end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return 1`

let leaderUntil = 0

/** Our own clock, from before the question, with a margin: we stop before Redis lets the next one begin. */
export async function renewLease(): Promise<void> {
  const asked = performance.now()
  const mine = await redis.eval(RENEW, 1, LEASE, SERVER_NAME, LEASE_TTL_MS)
  leaderUntil = mine === 1 ? asked + 0.8 * LEASE_TTL_MS : 0
}

export const isLeader = (): boolean => performance.now() < leaderUntil
// #endregion lease

// #region publish
const PUBLISH = `
  local owner = redis.call('GET', KEYS[2])
  if not owner then return 'the lease has run out' end
  if owner ~= ARGV[2] then return 'no longer the leader' end
  local known = redis.call('GET', KEYS[1])
  if known and cjson.decode(known).epoch >= cjson.decode(ARGV[1]).epoch then return 'the epoch is known already' end
  redis.call('SET', KEYS[1], ARGV[1])
  redis.call('PUBLISH', KEYS[1], ARGV[1])
  return 'done'`

/** Only by the leader, only with a greater epoch. */
export async function publish(topology: Topology): Promise<void> {
  const answer = await redis.eval(PUBLISH, 2, TOPOLOGY, LEASE, JSON.stringify(topology), SERVER_NAME)
  if (answer !== 'done') throw new Error(`nothing published: ${String(answer)}`)
}

export async function readTopology(): Promise<Topology | null> {
  const text = await redis.get(TOPOLOGY)
  return text ? (JSON.parse(text) as Topology) : null
}
// #endregion publish

// #region views
/** One round may take this long, and a view outlives a few of them; it is worth nothing when it is old. */
const VIEW_MS = 3 * (CHECK_INTERVAL_MS + CHECK_TIMEOUT_MS)

/** What this controller sees of a node, for whoever leads. */
export async function tellView(node: string, failures: number): Promise<void> {
  const view: View = { observer: SERVER_NAME, node, failures }
  await redis
    .pipeline()
    .sadd(OBSERVERS, SERVER_NAME)
    .set(`pg:view:${SERVER_NAME}`, JSON.stringify(view), 'PX', VIEW_MS)
    .exec()
}

export async function readViews(): Promise<View[]> {
  const observers = await redis.smembers(OBSERVERS)
  if (observers.length === 0) return []
  const views = await redis.mget(observers.map((observer) => `pg:view:${observer}`))
  return views.flatMap((text) => (text ? [JSON.parse(text) as View] : []))
}
// #endregion views

// #region candidate
const REPLACE = `
  local now = redis.call('HGET', KEYS[1], ARGV[1])
  if (now or '') == ARGV[2] then redis.call('HSET', KEYS[1], ARGV[1], ARGV[3]) return ARGV[3] end
  return now`

/**
 * The primary of an epoch is chosen once: the first choice stands, whoever made it. A leader that was frozen for a
 * while, and one that comes after a dead one, go on with the same node.
 * @param before the choice that it replaces; '' where there was none
 */
export async function choosePrimary(epoch: number, node: string, before = ''): Promise<string> {
  return (await redis.eval(REPLACE, 1, CANDIDATES, epoch, before, node)) as string
}

export const chosenPrimary = (epoch: number): Promise<string | null> => redis.hget(CANDIDATES, String(epoch))
// #endregion candidate

/** Nodes whose data are to be replaced: remembered, so that another leader finishes it. */
export const toReseed = (): Promise<string[]> => redis.smembers(RESEED)
export const markForReseed = (node: string): Promise<number> => redis.sadd(RESEED, node)
export const reseeded = (node: string): Promise<number> => redis.srem(RESEED, node)

/** An operator overrides the limits for the change after this epoch, and for no other. */
export const forceAfter = (epoch: number): Promise<'OK'> => redis.set(FORCED, epoch)
export const isForced = async (epoch: number): Promise<boolean> => (await redis.get(FORCED)) === String(epoch)
