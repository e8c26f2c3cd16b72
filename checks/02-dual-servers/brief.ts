import { lend, SHORT_MS } from '../../labs/02-dual-servers/tests/lent.ts'
import { startPair, type Pair } from '../../labs/02-dual-servers/tests/pair.ts'

/** `SYNC_RETRY_MS` of a server that must not need one try for each change. */
export const SELDOM_MS = 300

/** A quiet pair with the cut elsewhere, whose server-1 soon gives up on its peer. Step `queue` restarts both. */
export function briefPair(): Promise<Pair> {
  return lend('brief', () =>
    startPair({
      quiet: true,
      partitions: ['A-F', 'G-Z'],
      env: { PEER_TIMEOUT_MS: 2000, SYNC_RETRY_MS: SELDOM_MS, DB_TIMEOUT_MS: 5000 },
      env1: { PEER_TIMEOUT_MS: SHORT_MS },
    }),
  )
}
