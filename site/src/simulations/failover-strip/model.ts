import { choose, type Choice, type Position } from '../../../../solutions/08-automatic-failover/src/choose.ts'
import { decide, type View } from '../../../../solutions/08-automatic-failover/src/decide.ts'

export type Event = 'kill' | 'freeze' | 'isolate'

export interface Settings {
  event: Event
  /** Milliseconds between two checks, and the longest that one may take. */
  intervalMs: number
  timeoutMs: number
  /** Failed checks in a row. */
  threshold: number
  observers: 1 | 2 | 3
  quorum: number
  /** Checks in 10,000 that a path loses in peace, and how many in a row. */
  lossPer10k: number
  burst: number
  /** Kilobytes that the better replica has not received. */
  lagKb: number
  fence: boolean
  synchronous: boolean
}

export type Part = 'detect' | 'fence' | 'promote' | 'clients'

export interface Outcome {
  /** What is done, one after the other; empty where nothing is. */
  parts: { part: Part; from: number; to: number }[]
  /** The observers that agreed, or those that only suspect. */
  observers: string[]
  state: 'changed' | 'blocked' | 'undisturbed'
  /** Milliseconds without an acknowledged write; null where somebody has to be asked first. */
  rtoMs: number | null
  lostBytes: number
  lostWrites: number
  /** From when two nodes take writes, and for how many seconds of the first minute. */
  twoFrom: number | null
  twoSeconds: number
  falsePerYear: number
  /** Milliseconds that each commit waits longer, in peace. */
  commitMs: number
}

/** The prototype's run: a kill by the power device, a promotion, connections made anew. */
const TAKES: Record<Exclude<Part, 'detect'>, number> = { fence: 30, promote: 20, clients: 60 }
/** A frozen primary wakes up. */
export const THAW_MS = 8000
/** Until an operator notices. */
export const NOTICED_MS = 60_000
const MAX_LOST_BYTES = 1024 * 1024
const WRITE_BYTES = 380
const ROUND_TRIP_MS = 10
const OLD = 'pg1'

/** Everything that follows from an event at time 0, just after the last check that went well. */
export function run(settings: Settings): Outcome {
  const seen = detect(settings)
  const peace = { falsePerYear: falsePerYear(settings), commitMs: settings.synchronous ? ROUND_TRIP_MS : 0 }
  const none = { rtoMs: 0, lostBytes: 0, lostWrites: 0, twoFrom: null, twoSeconds: 0, ...peace }
  if (seen.at === null) return { parts: [], observers: seen.observers, state: 'undisturbed', ...none }
  const detected = { part: 'detect' as const, from: 0, to: seen.at }
  const choice = elect(settings)
  if ('blocked' in choice)
    return { parts: [detected], observers: seen.observers, state: 'blocked', ...none, rtoMs: null }

  const parts: Outcome['parts'] = [detected]
  for (const part of ['fence', 'promote', 'clients'] as const) {
    if (part === 'fence' && !settings.fence) continue
    const from = parts.at(-1)!.to
    parts.push({ part, from, to: from + TAKES[part] })
  }
  const end = parts.at(-1)!.to
  const twoFrom = settings.fence ? null : secondPrimary(settings.event, end - TAKES.clients)
  // A primary that lives takes writes until it is fenced or its clients have left.
  const rtoMs = settings.event === 'isolate' ? end - seen.at : end
  const lostBytes = Number(choice.lostBytes)
  return {
    parts,
    observers: seen.observers,
    state: 'changed',
    rtoMs,
    lostBytes,
    lostWrites: Math.ceil(lostBytes / WRITE_BYTES),
    twoFrom,
    twoSeconds: twoFrom === null ? 0 : Math.max(0, NOTICED_MS - twoFrom) / 1000,
    ...peace,
  }
}

/** When so many observers have missed so many checks that the rule of the solution says: down. */
function detect({ event, intervalMs, timeoutMs, threshold, observers, quorum }: Settings) {
  const takes = event === 'freeze' ? timeoutMs : 1
  const round = Math.max(intervalMs, takes)
  const views: View[] = []
  const misses = Array.from({ length: observers }, (_, i) => i)
    // Cut off from the primary is only the first of them, who leads.
    .filter((i) => event !== 'isolate' || i === 0)
    .flatMap((i) =>
      Array.from({ length: threshold }, (_x, n) => ({
        observer: `c${i + 1}`,
        failures: n + 1,
        at: (intervalMs * (observers - i)) / observers + n * round + takes,
      })),
    )
    .toSorted((a, b) => a.at - b.at)
  for (const { observer, failures, at } of misses) {
    const others = views.filter((view) => view.observer !== observer)
    views.splice(0, views.length, ...others, { observer, node: OLD, failures })
    const judgement = decide(views, OLD, { threshold, quorum })
    if (judgement.state === 'down') return { at, observers: judgement.observers }
  }
  return { at: null, observers: decide(views, OLD, { threshold, quorum }).observers }
}

/** The replica that the rule of the solution takes. */
function elect({ lagKb, synchronous }: Settings): Choice {
  const end = 64n * 1024n * 1024n
  const lag = BigInt(lagKb) * 1024n
  const positions: Position[] = [
    // With ANY 1 one of the two has every acknowledged write.
    { name: 'pg2', lsn: synchronous ? end : end - lag },
    { name: 'pg3', lsn: end - 2n * lag },
  ]
  return choose(positions, end, { minCandidates: 1, maxLostBytes: MAX_LOST_BYTES, force: false })
}

/** The old primary was not made harmless: from when it takes writes beside the new one. */
function secondPrimary(event: Event, promoted: number): number | null {
  if (event === 'kill') return null
  return event === 'freeze' ? Math.max(THAW_MS, promoted) : promoted
}

const YEAR_MS = 365 * 24 * 3600 * 1000

/** Losses of different paths are taken as independent, which flatters every rule with more than one observer. */
function falsePerYear({ intervalMs, threshold, observers, quorum, lossPer10k, burst }: Settings): number {
  if (quorum > observers) return 0
  const loss = lossPer10k / 10_000
  // How often a path reaches the threshold, per check, and for how many checks it stays there.
  const reaches = loss ** Math.ceil(threshold / burst)
  const stays = Math.max(1, burst - threshold + 1)
  const together = quorum * reaches ** quorum * stays ** (quorum - 1)
  return (YEAR_MS / intervalMs) * combinations(observers, quorum) * together
}

function combinations(n: number, k: number): number {
  return k === 0 ? 1 : (n / k) * combinations(n - 1, k - 1)
}
