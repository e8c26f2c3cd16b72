import { refreshesNow } from '../../../../solutions/12-cache-stampede/src/xfetch.ts'
import { randomFrom } from '../../kit/random.ts'

/** What happens at second 0: the entry ends; the first who computes is killed; Redis stops and every read is of another key. */
export type Happening = 'expiry' | 'killed' | 'redis'

export interface Settings {
  /** Per second. */
  readers: number
  /** How long a computation takes while Postgres is not full. */
  deltaMs: number
  /** Fresh life of an entry, in seconds. */
  ttl: number
  servers: number
  /** Computations that Postgres does at full speed at the same time; more of them share it. */
  capacity: number
  flight: boolean
  lock: boolean
  stale: boolean
  /** 0: no early refresh. */
  beta: number
  /** Without Redis: no more statements than Postgres can do at once, a bounded queue, the rest refused. */
  limit: boolean
  happening: Happening
  seed: number
}

export interface Outcome {
  /** Most statements in Postgres and most readers waiting, for each half second. */
  columns: { running: number; waiting: number }[]
  computations: number
  /** Most statements in Postgres at once. */
  mostRunning: number
  mostWaiting: number
  /** Readers who got 503, or whose server died. */
  refused: number
  longestWaitMs: number
  /** Age of the oldest answer, from the moment its query was sent. */
  oldestMs: number
  /** When the first computation began, in seconds; negative: before the end of the entry. */
  firstAt: number | undefined
  /** When a new entry was there, in seconds. */
  filledAt: number | undefined
}

export const FROM_S = -10
export const TO_S = 20
export const COLUMN_MS = 500
export const LOCK_TTL_MS = 5000
const TICK_MS = 10
const STALE_MS = 60_000
/** Readers who may wait for a place, per server. */
const QUEUE = 20
/** Nobody can tell ten thousand statements from twenty thousand. */
const MOST_JOBS = 30_000

interface Job {
  server: number
  at: number
  /** Postgres's work done when it began. */
  from: number
  waiters: number
  /** Arrival of its first waiter. */
  since: number
  holder: boolean
}

/** Thirty seconds around the end of one popular entry. Who refreshes early is decided by the solution's own module. */
export function simulate(settings: Settings): Outcome {
  return new Shop(settings).run()
}

class Shop {
  readonly #settings: Settings
  readonly #random: () => number
  #entry: { freshUntil: number; deltaMs: number; fetchedAt: number } | undefined
  #jobs: Job[] = []
  #queue: Job[] = []
  #flights: (Job | undefined)[] = []
  #lockUntil = -Infinity
  /** Readers who wait for the entry of another server. */
  #elsewhere: { waiters: number; since: number }[]
  #work = 0
  #killed = false
  #waiting = 0
  readonly #outcome: Outcome

  constructor(settings: Settings) {
    this.#settings = settings
    this.#random = randomFrom(settings.seed)
    const { ttl, deltaMs, servers } = settings
    this.#entry = { freshUntil: 0, deltaMs, fetchedAt: -ttl * 1000 - deltaMs }
    this.#elsewhere = Array.from({ length: servers }, () => ({ waiters: 0, since: 0 }))
    this.#outcome = {
      columns: Array.from({ length: ((TO_S - FROM_S) * 1000) / COLUMN_MS }, () => ({
        running: 0,
        waiting: 0,
      })),
      computations: 0,
      mostRunning: 0,
      mostWaiting: 0,
      refused: 0,
      longestWaitMs: 0,
      oldestMs: 0,
      firstAt: undefined,
      filledAt: undefined,
    }
  }

  run(): Outcome {
    const { readers, servers, happening } = this.#settings
    let due = 0.5
    let reader = 0
    for (let now = FROM_S * 1000; now < TO_S * 1000; now += TICK_MS) {
      if (happening === 'redis' && now >= 0) this.#entry = undefined
      for (due += (readers * TICK_MS) / 1000; due >= 1; due--) this.#read(reader++ % servers, now)
      this.#compute(now)
      this.#takeOver(now)
      this.#record(now)
    }
    for (const { since, waiters } of [...this.#jobs, ...this.#queue, ...this.#elsewhere])
      if (waiters > 0) this.#waited(TO_S * 1000 - since)
    return this.#outcome
  }

  #read(server: number, now: number): void {
    const { beta, stale } = this.#settings
    const entry = this.#entry
    const fresh = entry !== undefined && now < entry.freshUntil
    if (fresh || (stale && entry !== undefined && now < entry.freshUntil + STALE_MS)) {
      this.#outcome.oldestMs = Math.max(this.#outcome.oldestMs, now - entry.fetchedAt)
      if (!fresh || (beta > 0 && refreshesNow(entry, now, beta, 1 - this.#random())))
        this.#begin(server, now, 0, now)
    } else this.#begin(server, now, 1, now)
  }

  #begin(server: number, now: number, waiters: number, since: number): void {
    const { flight, lock, limit, happening, capacity, servers } = this.#settings
    const redisAway = happening === 'redis' && now >= 0
    const under = this.#flights[server]
    // Without Redis each reader of this model wants another key: there is no flight to join.
    if (flight && !redisAway && under) {
      under.waiters += waiters
      if (under.waiters === waiters) under.since = since
      this.#waiting += waiters
      return
    }
    if (lock && !redisAway && now < this.#lockUntil) {
      const place = this.#elsewhere[server]!
      if (place.waiters === 0) place.since = since
      place.waiters += waiters
      this.#waiting += waiters
      return
    }
    const job: Job = { server, at: now, from: this.#work, waiters, since, holder: lock && !redisAway }
    if (limit && redisAway && this.#jobs.length >= capacity) {
      if (this.#queue.length >= QUEUE * servers) this.#outcome.refused += waiters
      else {
        this.#queue.push(job)
        this.#waiting += waiters
      }
      return
    }
    this.#waiting += waiters
    this.#start(job, now)
  }

  #start(job: Job, now: number): void {
    if (this.#jobs.length >= MOST_JOBS) return
    job.from = this.#work
    this.#jobs.push(job)
    this.#outcome.computations++
    this.#outcome.firstAt ??= now / 1000
    this.#flights[job.server] = job
    if (job.holder) this.#lockUntil = now + LOCK_TTL_MS
  }

  /** Postgres shares itself: more than it can do at once makes all of them slower. */
  #compute(now: number): void {
    const { capacity, deltaMs, happening } = this.#settings
    this.#work += TICK_MS * Math.min(1, capacity / Math.max(1, this.#jobs.length))
    const first = this.#jobs[0]
    if (happening === 'killed' && !this.#killed && first && this.#work >= first.from + deltaMs / 2)
      this.#kill(first)
    // All need the same work: they end in the order of their beginning.
    let ended = 0
    while (ended < this.#jobs.length && this.#work >= this.#jobs[ended]!.from + deltaMs) ended++
    for (const job of this.#jobs.splice(0, ended)) this.#end(job, now)
    while (this.#queue.length > 0 && this.#jobs.length < capacity) this.#start(this.#queue.shift()!, now)
  }

  /** Its process is gone, and its readers with it. The lock stays. */
  #kill(job: Job): void {
    this.#killed = true
    this.#jobs.shift()
    this.#outcome.refused += job.waiters
    this.#waiting -= job.waiters
    if (this.#flights[job.server] === job) this.#flights[job.server] = undefined
  }

  #end(job: Job, now: number): void {
    if (this.#flights[job.server] === job) this.#flights[job.server] = undefined
    this.#answer(job, now)
    if (this.#settings.happening === 'redis' && now >= 0) return
    this.#entry = {
      freshUntil: now + this.#settings.ttl * 1000,
      deltaMs: now - job.at,
      fetchedAt: job.at,
    }
    this.#outcome.filledAt ??= now / 1000
    if (job.holder) this.#lockUntil = -Infinity
    for (const place of this.#elsewhere) this.#answer(place, now)
  }

  #answer(place: { waiters: number; since: number }, now: number): void {
    if (place.waiters > 0) this.#waited(now - place.since)
    this.#waiting -= place.waiters
    place.waiters = 0
  }

  #waited(ms: number): void {
    this.#outcome.longestWaitMs = Math.max(this.#outcome.longestWaitMs, ms)
  }

  /** The lock is free and there is no entry: one of those who wait takes it. */
  #takeOver(now: number): void {
    if (now < this.#lockUntil) return
    for (const [server, place] of this.#elsewhere.entries()) {
      if (place.waiters === 0) continue
      const { waiters, since } = place
      place.waiters = 0
      this.#waiting -= waiters
      this.#begin(server, now, waiters, since)
    }
  }

  #record(now: number): void {
    const column = this.#outcome.columns[Math.floor((now - FROM_S * 1000) / COLUMN_MS)]!
    const running = this.#jobs.length
    column.running = Math.max(column.running, running)
    column.waiting = Math.max(column.waiting, this.#waiting)
    this.#outcome.mostRunning = Math.max(this.#outcome.mostRunning, running)
    this.#outcome.mostWaiting = Math.max(this.#outcome.mostWaiting, this.#waiting)
  }
}
