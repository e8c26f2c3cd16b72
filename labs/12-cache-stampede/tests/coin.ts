import { Agent } from 'node:http'
import { atEnd, eventually, say } from '#harness'
import { cacheOf, herd, type Front } from './front.ts'
import { plant, type Planted } from './planted.ts'

/** Enough tosses that no correct coin is ever rejected. */
export const ENTRIES = 400

/**
 * Reads so many planted entries once each.
 * @returns answers with `X-Cache: early`, and keys that were fetched afterwards
 */
export async function earlyReads(
  front: Front,
  server: number,
  entry: Planted,
  count = ENTRIES,
): Promise<{ early: number; refreshed: number }> {
  const keys = await front.rows(count)
  await Promise.all(keys.map((key) => plant(front, key, { ...entry, version: 0 })))
  // Nothing is held here: a few connections do, and cost less than one for each.
  const agent = new Agent({ keepAlive: true, maxSockets: 32 })
  atEnd(() => agent.destroy())
  const answers = await herd(front, count, (i) => keys[i]!, { servers: [server], agent }).done
  const early = answers.filter((answer) => cacheOf(answer) === 'early').length
  const fetched = async (): Promise<number> =>
    (await front.counts(keys)).filter((statements) => statements > 0).length
  // A refresh may run behind its answer.
  const refreshed = await eventually(
    say(`statements for the ${early} entries that were answered early`, `earlyと応答した${early}個のSQL文`),
    fetched,
    (count) => count >= early,
    { every: 50, hint: 2 },
  )
  return { early, refreshed }
}
