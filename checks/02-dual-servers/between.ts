import { say, type Exchange, type Link } from '#harness'
import type { Pair } from '../../labs/02-dual-servers/tests/pair.ts'

export const CUT_FELT = say(
  'a connection between the servers is reset or turned away',
  'サーバー間の接続が切られるか、断られる',
)

/**
 * Cuts both links between the servers: what stands is reset, what comes is turned away.
 * @returns says how many connections that were so far
 */
export function part({ to1, to2 }: Pair): () => number {
  const before = [to1.counts, to2.counts]
  const reset = to1.cut() + to2.cut()
  return () => reset + to1.since(before[0]!).rejected + to2.since(before[1]!).rejected
}

/** Requests about settings that have crossed a link, from the one at `first` on. */
export function syncs(link: Link, first = 0): readonly Exchange[] {
  return link.requests.slice(first).filter(({ path }) => path.startsWith('/api/sync/'))
}
