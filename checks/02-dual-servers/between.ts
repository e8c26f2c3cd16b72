import type { Exchange, Link } from '#harness'
import type { Pair } from '../../labs/02-dual-servers/tests/pair.ts'

/** Cuts both links between the servers: what stands is reset, what comes is turned away. */
export function part({ to1, to2 }: Pair): void {
  to1.cut()
  to2.cut()
}

/** Ends every fault of both links. */
export async function heal({ to1, to2 }: Pair): Promise<void> {
  await Promise.all([to1.open(), to2.open()])
}

/** Requests about settings that have crossed a link, from the one at `first` on. */
export function syncs(link: Link, first = 0): readonly Exchange[] {
  return link.requests.slice(first).filter(({ path }) => path.startsWith('/api/sync/'))
}
