import { atEnd, Lending, shared, type Answer } from '#harness'
import { health } from './health.ts'
import { heal, startPair, type Pair } from './pair.ts'

/** `PEER_TIMEOUT_MS` of a server whose peer falls silent: a test waits for all of it. */
export const SHORT_MS = 120

/**
 * What files of a run share, by name; the first that asks begins it, and it ends with the run. A file leaves both
 * servers of a pair up with their own settings and the links whole, and counts from what it found.
 */
export async function lend<T>(name: string, begin: () => Promise<T>): Promise<T> {
  return (await pairs()).lend(name, begin) as Promise<T>
}

const pairs = () => shared('pairs', async () => new Lending<unknown>())

/** In `beforeAll` of the last file that needs a pair: it ends with this file, so that few processes run at a time. */
export function lastUseOf(name: string, { server1, server2 }: Pair): void {
  atEnd(async () => {
    ;(await pairs()).forget(name)
    await Promise.all([server1.kill(), server2.kill()])
  })
}

/** For tests that need no fresh pair. */
export function quietPair(): Promise<Pair> {
  // Bursts wait for connections of a server's pool, which DB_TIMEOUT_MS may bound, and for the peer's.
  return lend('quiet', () => startPair({ quiet: true, env: { PEER_TIMEOUT_MS: 2000, DB_TIMEOUT_MS: 5000 } }))
}

export interface WatchingPair extends Pair {
  /** What server-1 said of its health before it could reach its peer. */
  alone: Answer
}

/** Its servers check each other all the time. In steps before `health` the links between them stay shut. */
export async function watchingPair({ shut = false } = {}): Promise<WatchingPair> {
  const pair = await lend('watching', async () => {
    const started = await startPair({
      shut: true,
      partitions: ['A-S', 'T-Z'],
      env: { SYNC_RETRY_MS: 100 },
      // server-1 shall have the time to read 10 MB; a wait for server-2 when it is frozen would show.
      env1: { PEER_TIMEOUT_MS: 5000 },
      env2: { PEER_TIMEOUT_MS: SHORT_MS },
    })
    return { ...started, alone: await health(started.server1) }
  })
  if (!shut) await heal(pair)
  return pair
}

export interface CountedPair extends Pair {
  /** What `/api/metrics/total` of server-1 said before any request. */
  first: Answer
}

/** Nobody but step `metrics` asks it anything, so that its numbers are the step's own. */
export function countedPair(): Promise<CountedPair> {
  return lend('counted', async () => {
    const started = await startPair({
      quiet: true,
      env1: { PEER_TIMEOUT_MS: 5000 },
      env2: { PEER_TIMEOUT_MS: SHORT_MS },
    })
    return { ...started, first: await started.server1.get('/api/metrics/total') }
  })
}
