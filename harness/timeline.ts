/** One thing that crossed between the parts, in the epoch's milliseconds. */
export interface Event {
  at: number
  from: string
  to: string
  kind: 'http' | 'sql' | 'redis' | 'signal' | 'link' | 'role' | 'note'
  text: string
  /** The same in Japanese, where it is a sentence. */
  ja?: string
  ms?: number
  failed?: boolean
  /** Where a request went: two instances may have one name. */
  port?: number
}

/** Enough for a failure to be seen; a load test must not fill the memory. */
const MOST = 5000

const events: Event[] = []

/** Milliseconds since 1970 with fractions: one clock for all threads of the command. */
export function now(): number {
  return performance.timeOrigin + performance.now()
}

/** Writes down what happened, now or at `at`. */
export function note(event: Omit<Event, 'at'> & { at?: number }): void {
  events.push({ at: now(), ...event })
  if (events.length > MOST) events.splice(0, MOST / 5)
}

/** What was written down since then, in order of time. */
export function eventsSince(at: number): Event[] {
  return events.filter((event) => event.at >= at).toSorted((a, b) => a.at - b.at)
}
