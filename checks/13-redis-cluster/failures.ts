import { setTimeout as pause } from 'node:timers/promises'
import { eventually, say, type StartedRole } from '#harness'
import { percentile } from '#harness/bench'
import {
  IMPATIENT,
  noticed,
  oneOnEach,
  openShop,
  path,
  seen,
  warm,
  type Product,
  type Shop,
} from '../../labs/13-redis-cluster/tests/shop.ts'

/** A read: when it was sent, how long it took, and what came. */
interface Read {
  at: number
  ms: number
  seen: string
}

/** Reads are sent at this pace, whether those before have been answered or not: one that hangs must not hide the next. */
const EVERY_MS = 20

/** Reads each product at that pace until stopped. */
function watch(server: StartedRole, products: readonly Product[]) {
  const reads: Read[] = []
  let over = false
  const loops = Promise.all(
    products.map(async ({ id }) => {
      const pending: Promise<unknown>[] = []
      const readOne = async (): Promise<void> => {
        const at = performance.now()
        const answer = await server.get(path(id), { within: 6000 })
        reads.push({ at, ms: answer.ms, seen: seen(answer) })
      }
      while (!over) {
        pending.push(readOne())
        await pause(EVERY_MS)
      }
      await Promise.all(pending)
    }),
  )
  const stop = async (): Promise<Read[]> => {
    over = true
    await loops
    return reads
  }
  return { stop, [Symbol.asyncDispose]: async () => void (await stop()) }
}

/** What the readers met in a stretch of time. */
interface Stretch {
  answers: number
  failed: number
  bypassPercent: number
  p99: number
  longest: number
}

function stretchOf(reads: readonly Read[]): Stretch {
  const bypassed = reads.filter((read) => read.seen === '200 bypass').length
  const times = reads.map(({ ms }) => ms)
  return {
    answers: reads.length,
    failed: reads.filter((read) => !read.seen.startsWith('200')).length,
    bypassPercent: reads.length ? (100 * bypassed) / reads.length : 0,
    p99: reads.length ? percentile(times, 0.99) : 0,
    longest: Math.max(0, ...times),
  }
}

export const PHASES = ['killed', 'noticed', 'started', 'open'] as const

export interface Failure extends Stretch {
  /** From the kill, from the start, from the opening. */
  noticed: number
  open: number
  hit: number
  /** From each of these moments to the next, by the time at which a read was sent. */
  phases: Record<(typeof PHASES)[number], Stretch>
  /** Every 100 ms from the kill on. */
  steps: Stretch[]
}

/** From the kill of a node to the day when all is as before. */
export async function failure(nodeTimeout: number, coverage: 'yes' | 'no'): Promise<Failure> {
  const shop = await openShop(IMPATIENT)
  const products = await oneOnEach(shop)
  const { cluster } = shop
  await cluster.set('cluster-node-timeout', nodeTimeout)
  await cluster.set('cluster-require-full-coverage', coverage)
  await using watching = watch(shop.a, products)
  const killed = performance.now()
  await cluster.nodes[2]!.kill()
  await noticed(shop, 30_000)
  const known = performance.now()
  await cluster.nodes[2]!.start()
  const started = performance.now()
  await cluster.ready()
  const open = performance.now()
  await warm(shop.a, products[2].id, { within: 10_000 })
  const whole = performance.now()
  const reads = (await watching.stop()).filter(({ at }) => at >= killed)
  await leave(shop)
  const between = (from: number, to: number): Stretch =>
    stretchOf(reads.filter(({ at }) => at >= from && at < to))
  return {
    ...stretchOf(reads),
    noticed: known - killed,
    open: open - started,
    hit: whole - open,
    phases: {
      killed: between(killed, known),
      noticed: between(known, started),
      started: between(started, open),
      open: between(open, Infinity),
    },
    steps: Array.from({ length: Math.ceil((whole - killed) / 100) }, (_, i) =>
      between(killed + 100 * i, killed + 100 * (i + 1)),
    ),
  }
}

export const rounded = (figures: Record<string, number>, suffix: string): Record<string, number> =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${name}-${suffix}`, Math.round(value)]))

/** All that was measured of a failure, under names of its own. */
export function figuresOf({ phases, steps, ...all }: Failure, suffix: string): Record<string, number> {
  const some = ({ answers, bypassPercent, p99 }: Stretch) => ({ answers, bypassPercent, p99 })
  return Object.assign(
    rounded({ ...all }, suffix),
    ...PHASES.map((phase) => rounded(some(phases[phase]), `${suffix}-${phase}`)),
    ...steps.map((step, i) => rounded(some(step), `${suffix}-at${100 * i}`)),
  )
}

/** Whoever has not answered by then is said to have no end. */
const WATCHED_MS = 4000

/** Longest answer while a node is dead, and while one is frozen. */
export async function longest(): Promise<Record<'dead' | 'frozen', number>> {
  const shop = await openShop(IMPATIENT)
  const products = await oneOnEach(shop)
  await shop.cluster.set('cluster-node-timeout', 200)
  const found = { dead: 0, frozen: 0 }
  for (const kind of ['frozen', 'dead'] as const) {
    await using watching = watch(shop.a, products)
    const node = shop.cluster.nodes[2]!
    await (kind === 'dead' ? node.kill() : node.freeze())
    await eventually(say('noticed', '気づく'), () => shop.cluster.state(0), 'fail')
    await Promise.race([watching.stop(), new Promise((resolve) => setTimeout(resolve, WATCHED_MS))])
    await (kind === 'dead' ? node.start() : node.thaw())
    found[kind] = stretchOf(await watching.stop()).longest
    await shop.cluster.ready()
  }
  await leave(shop)
  return found
}

async function leave({ a, b, cluster }: Shop): Promise<void> {
  await Promise.all([a.kill(), b.kill()])
  await Promise.all(cluster.links.map((link) => link.close()))
}
