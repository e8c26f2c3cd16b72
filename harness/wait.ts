import { setTimeout as pause } from 'node:timers/promises'

export interface WaitOptions {
  /** Milliseconds until the wait is given up. Default 10,000. */
  within?: number
  /** Milliseconds between two looks. Default: a tenth of the wait so far, 5 at least and {@link SELDOM_MS} at most. */
  every?: number
  signal?: AbortSignal
}

const OFTEN_MS = 5
const SELDOM_MS = 25
/** What has not come by now is hardly about to come: whoever looks more often than that looks as seldom from then on. */
const LONG_MS = 2000

type Falsy = undefined | null | false | 0 | ''

/** A wait that ran out: what it waited for, how long, and what it saw last. */
export class WaitTimeout extends Error {
  override readonly name = 'WaitTimeout'
  readonly what: string
  readonly ms: number

  constructor(what: string, ms: number, last: unknown) {
    super(`timed out after ${ms} ms while waiting for ${what}`, last instanceof Error ? { cause: last } : {})
    this.what = what
    this.ms = ms
  }
}

/**
 * Looks until `look` returns something truthy, and returns that. An exception counts as "not yet"; the last one is the
 * cause of the {@link WaitTimeout}.
 */
export async function eventuallyTrue<T>(
  what: string,
  look: () => T | Promise<T>,
  { within = 10_000, every, signal }: WaitOptions = {},
): Promise<Exclude<T, Falsy>> {
  const begun = performance.now()
  let last: unknown
  for (;;) {
    signal?.throwIfAborted()
    try {
      const seen = await look()
      if (seen) return seen as Exclude<T, Falsy>
      last = seen
    } catch (error) {
      if (error instanceof Fatal) throw error.cause
      last = error
    }
    const taken = performance.now() - begun
    if (taken > within) throw new WaitTimeout(what, within, last)
    await pause(untilNext(taken, every), undefined, { signal })
  }
}

/** Each look takes a processor that what is waited for could use. */
function untilNext(taken: number, every = Math.min(Math.max(taken / 10, OFTEN_MS), SELDOM_MS)): number {
  return taken < LONG_MS ? every : Math.max(every, SELDOM_MS)
}

/** Thrown by a look to end the wait at once with its cause: what is waited for can no longer come. */
export class Fatal extends Error {
  constructor(cause: unknown) {
    super('no longer possible', { cause })
  }
}
