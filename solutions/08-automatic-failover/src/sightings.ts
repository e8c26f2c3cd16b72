import { parseLsn, type Lsn } from './choose.ts'
import { SERVER_NAME } from './env.ts'
import type { Node } from './nodes.ts'
import { redis } from './shared.ts'

/** Where a primary was seen. The timeline tells its reigns apart: in the next one its positions may be lower. */
interface Sighting {
  node: string
  timeline: number
  lsn: string
}

const SIGHTINGS = 'pg:sightings'

// #region sightings
/**
 * Remembered where a restart forgets nothing: a leader that has never seen the primary must know what would be lost.
 * Told as well when it is dead: its last position may be from a moment ago.
 */
export async function tellSighting({ name, seen }: Node): Promise<void> {
  if (seen.lsn === null || seen.timeline === null) return
  const sighting: Sighting = { node: name, timeline: seen.timeline, lsn: seen.lsn }
  await redis.hset(SIGHTINGS, SERVER_NAME, JSON.stringify(sighting))
}

/** The furthest that any controller saw this primary. */
export async function lastSeen({ name }: Node): Promise<Lsn | null> {
  const all = (await redis.hvals(SIGHTINGS)).map((text) => JSON.parse(text) as Sighting)
  const own = all.filter(({ node }) => node === name)
  const reign = Math.max(...own.map(({ timeline }) => timeline))
  const positions = own.filter(({ timeline }) => timeline === reign).map(({ lsn }) => parseLsn(lsn))
  return positions.reduce<Lsn | null>((most, lsn) => (most === null || lsn > most ? lsn : most), null)
}
// #endregion sightings
