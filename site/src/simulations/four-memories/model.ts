import { L1, type Entry } from '../../../../solutions/11-two-tier-cache/src/l1.ts'
import { randomFrom } from '../../kit/random.ts'

/** How the servers hear of writes. Each mode does what the one before it does, and one thing more. */
export type Mode = 'none' | 'pubsub' | 'flush' | 'versions'

export interface Settings {
  servers: number
  /** All servers together. */
  readsPerSecond: number
  keys: number
  /** Exponent of Zipf's law: 0 asks for all keys alike. */
  popularity: number
  writesPerSecond: number
  l1TtlMs: number
  /** From a write to the other servers' ears. */
  delayMs: number
  /** Percent of the messages that never arrive. */
  lossPercent: number
  mode: Mode
  /** Server 2 has no connection to Redis from 3 s to 4 s. */
  unplugged: boolean
  seed: number
}

export type Seen = 'fresh' | 'stale' | 'miss' | 'idle'

export interface Result {
  /** By server, by quarter of a second: the worst that a read of it saw. */
  lanes: Seen[][]
  reads: number
  stale: number
  /** Shares of the reads. */
  l1: number
  l2: number
  databasePerSecond: number
  /** Longest age of an answer that was stale, in ms: how long its successor had been committed. */
  oldestMs: number
}

export const LENGTH_MS = 10_000
export const CELL_MS = 250
export const UNPLUG = { server: 1, from: 3000, until: 4000 }
/** A read of Redis and of Postgres, there and back. */
const L2_MS = 2
const DATABASE_MS = 20

interface Read {
  server: number
  key: string
  begun: number
  /** Version that was committed when the read began. */
  due: number
}

/** Ten seconds of traffic. Every server's memory is the solution's own `l1.ts`, on this clock. */
export function simulate(settings: Settings): Result {
  return new Run(settings).run()
}

class Run {
  readonly #settings: Settings
  readonly #random: () => number
  readonly #agenda: (() => void)[][] = Array.from({ length: LENGTH_MS }, () => [])
  readonly #memories: L1[]
  readonly #redis = new Map<string, Entry>()
  readonly #commits = new Map<string, number[]>()
  readonly #result: Result
  /** Writes that the unplugged server could tell nobody. */
  readonly #unannounced = new Map<string, number>()
  #now = 0
  #database = 0
  #hits = { l1: 0, l2: 0 }

  constructor(settings: Settings) {
    this.#settings = settings
    this.#random = randomFrom(settings.seed)
    const { l1TtlMs: ttlMs, servers } = settings
    const memory = () => new L1({ ttlMs, negativeTtlMs: ttlMs, max: 1000, now: () => this.#now })
    this.#memories = Array.from({ length: servers }, memory)
    const lane = (): Seen[] => Array.from({ length: LENGTH_MS / CELL_MS }, () => 'idle')
    const lanes = Array.from({ length: servers }, lane)
    this.#result = { lanes, reads: 0, stale: 0, l1: 0, l2: 0, databasePerSecond: 0, oldestMs: 0 }
  }

  run(): Result {
    const { readsPerSecond, writesPerSecond, servers, mode, unplugged } = this.#settings
    // First, so that nothing of the same moment comes before it.
    if (unplugged && servers > UNPLUG.server && (mode === 'flush' || mode === 'versions'))
      this.#at(UNPLUG.until, () => this.#pluggedAgain())
    const key = this.#drawer()
    const server = () => Math.floor(this.#random() * servers)
    for (let n = 0; n < (readsPerSecond * LENGTH_MS) / 1000; n++)
      this.#at((n * 1000) / readsPerSecond, () => this.#read(server(), key()))
    for (let n = 0; n < (writesPerSecond * LENGTH_MS) / 1000; n++)
      this.#at(((n + 0.5) * 1000) / writesPerSecond, () => this.#write(server(), key()))
    for (this.#now = 0; this.#now < LENGTH_MS; this.#now++)
      // What is done may add to the same moment.
      for (const act of this.#agenda[this.#now]!) act()
    const result = this.#result
    const reads = Math.max(1, result.reads)
    result.l1 = this.#hits.l1 / reads
    result.l2 = this.#hits.l2 / reads
    result.databasePerSecond = (this.#database * 1000) / LENGTH_MS
    return result
  }

  #at(ms: number, act: () => void): void {
    this.#agenda[Math.round(ms)]?.push(act)
  }

  #read(server: number, key: string): void {
    const read: Read = { server, key, begun: this.#now, due: this.#version(key) }
    const memory = this.#memories[server]!
    const held = memory.get(key)
    if (held) {
      this.#hits.l1 += 1
      return this.#answered(read, held, 'l1')
    }
    const shared = this.#isPlugged(server) ? this.#redis.get(key) : undefined
    // Without versions nobody looks at what has happened since the question was asked.
    const early = this.#settings.mode === 'versions' ? memory.begin(key) : undefined
    const entry = shared ?? { found: true, version: this.#version(key) }
    if (shared) this.#hits.l2 += 1
    else this.#database += 1
    this.#at(this.#now + (shared ? L2_MS : DATABASE_MS), () => {
      const fill = early ?? memory.begin(key)
      if (!shared && this.#isPlugged(server)) this.#share(key, entry)
      memory.store(fill, entry)
      memory.end(fill)
      this.#answered(read, entry, shared ? 'l2' : 'db')
    })
  }

  #write(server: number, key: string): void {
    const version = this.#version(key) + 1
    this.#commits.set(key, [...(this.#commits.get(key) ?? []), this.#now])
    this.#memories[server]!.invalidate(key, version)
    if (this.#isPlugged(server)) this.#announce(server, key, version)
    else this.#unannounced.set(key, version)
  }

  #announce(server: number, key: string, version: number): void {
    const { mode, delayMs, lossPercent, servers } = this.#settings
    this.#share(key, { found: true, version })
    if (mode === 'none') return
    for (let other = 0; other < servers; other++) {
      const lost = this.#random() * 100 < lossPercent
      if (other === server || lost) continue
      this.#at(this.#now + delayMs, () => {
        if (this.#isPlugged(other)) this.#memories[other]!.invalidate(key, version)
      })
    }
  }

  #pluggedAgain(): void {
    this.#memories[UNPLUG.server]!.clear()
    for (const [key, version] of this.#unannounced) this.#announce(UNPLUG.server, key, version)
  }

  /** Who comes last wins, or who is newest. */
  #share(key: string, entry: Entry): void {
    const held = this.#redis.get(key)
    if (this.#settings.mode === 'versions' && held && held.version > entry.version) return
    this.#redis.set(key, entry)
  }

  #answered({ server, key, begun, due }: Read, entry: Entry, tier: 'l1' | 'l2' | 'db'): void {
    const result = this.#result
    result.reads += 1
    const stale = entry.version < due
    if (stale) {
      result.stale += 1
      // The commit after this version made it old.
      result.oldestMs = Math.max(result.oldestMs, begun - this.#commits.get(key)![entry.version]!)
    }
    const lane = result.lanes[server]!
    const cell = Math.floor(begun / CELL_MS)
    if (stale) lane[cell] = 'stale'
    else if (tier === 'db' && lane[cell] !== 'stale') lane[cell] = 'miss'
    else if (lane[cell] === 'idle') lane[cell] = 'fresh'
  }

  /** Commits so far: version 0 is what stood there at the beginning. */
  #version(key: string): number {
    return this.#commits.get(key)?.length ?? 0
  }

  #isPlugged(server: number): boolean {
    const { unplugged } = this.#settings
    const away = this.#now >= UNPLUG.from && this.#now < UNPLUG.until
    return !(unplugged && server === UNPLUG.server && away)
  }

  #drawer(): () => string {
    const { keys, popularity } = this.#settings
    const weights = Array.from({ length: keys }, (_, i) => 1 / (i + 1) ** popularity)
    const total = weights.reduce((sum, weight) => sum + weight)
    return () => {
      let at = this.#random() * total
      for (let i = 0; i < keys; i++) if ((at -= weights[i]!) < 0) return `k${i}`
      return 'k0'
    }
  }
}
