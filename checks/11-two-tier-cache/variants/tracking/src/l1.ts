// #region entry
/** What is known of a key: its value and version, or that it does not exist (then version 0: older than anything). */
export interface Entry {
  found: boolean
  value?: unknown
  version: number
}
// #endregion entry

/** A fetch under way from a lower tier. What it brings may be old by the time it arrives. */
export interface Fill {
  readonly key: string
  /** Smallest version that may still be stored: an invalidation has named it meanwhile. */
  floor: number
  /** Fetches of this key under way. */
  readers: number
}

export interface L1Options {
  ttlMs: number
  negativeTtlMs: number
  max: number
  /** The clock in milliseconds. */
  now: () => number
}

/** One process's own memory: bounded, forgetful, and never talked into storing what it knows to be old. */
export class L1 {
  readonly #options: L1Options
  // A Map keeps the order of insertion, so its first key is the one that was used longest ago.
  readonly #entries = new Map<string, { entry: Entry; until: number }>()
  readonly #fills = new Map<string, Fill>()

  constructor(options: L1Options) {
    this.#options = options
  }

  get size(): number {
    return this.#entries.size
  }

  // #region bounded
  get(key: string): Entry | undefined {
    const held = this.#entries.get(key)
    if (!held) return undefined
    this.#entries.delete(key)
    if (held.until <= this.#options.now()) return undefined
    this.#entries.set(key, held)
    return held.entry
  }

  #set(key: string, entry: Entry): void {
    const { ttlMs, negativeTtlMs, max, now } = this.#options
    const life = entry.found ? ttlMs : Math.min(ttlMs, negativeTtlMs)
    this.#entries.delete(key)
    this.#entries.set(key, { entry, until: now() + life })
    if (this.#entries.size > max) this.#entries.delete(this.#entries.keys().next().value!)
  }
  // #endregion bounded

  // #region fill
  /** Call before a lower tier is asked: from then on it is noticed when the answer is overtaken. */
  begin(key: string): Fill {
    const fill = this.#fills.get(key) ?? { key, floor: 0, readers: 0 }
    fill.readers += 1
    this.#fills.set(key, fill)
    return fill
  }

  /** May this still be stored, here and in L2? */
  accepts(fill: Fill, entry: Entry): boolean {
    return entry.version >= fill.floor
  }

  store(fill: Fill, entry: Entry): void {
    const { key } = fill
    const held = this.#entries.get(key)
    if (this.accepts(fill, entry) && !(held && held.entry.version > entry.version)) this.#set(key, entry)
  }

  end(fill: Fill): void {
    fill.readers -= 1
    if (fill.readers === 0 && this.#fills.get(fill.key) === fill) this.#fills.delete(fill.key)
  }

  /** A write has made everything older than this version old. */
  invalidate(key: string, version: number): void {
    const held = this.#entries.get(key)
    if (held && held.entry.version < version) this.#entries.delete(key)
    const fill = this.#fills.get(key)
    if (!fill) return
    fill.floor = Math.max(fill.floor, version)
    // Redis names no version. What has been asked for is void; who asks from now on gets the new value, and keeps it.
    if (version === Infinity) this.#fills.delete(key)
  }

  /** Messages may have been missed: neither what is held nor what is on its way can be trusted. */
  clear(): void {
    this.#entries.clear()
    this.voidFills()
  }

  /** Nothing that is on its way now will be stored. */
  voidFills(): void {
    for (const fill of this.#fills.values()) fill.floor = Infinity
    this.#fills.clear()
  }
  // #endregion fill
}
