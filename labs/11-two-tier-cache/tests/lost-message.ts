import { shared } from '#harness'
import { startFleet, type Fleet } from './fleet.ts'

/** Servers that give a Redis up soon. */
export const impatientServers = (): Promise<Fleet> =>
  shared('impatient servers', () => startFleet(3, { REDIS_TIMEOUT_MS: 100 }))

/** What the harness itself has open is no server's. */
const OWN = /\bname=harness\b/

/** Connections of the servers to Redis, as `CLIENT LIST` shows them. */
export async function connectionsOf(fleet: Fleet, type?: 'pubsub' | 'normal'): Promise<string[]> {
  const list = String(
    await fleet.redis.client.call('CLIENT', 'LIST', ...(type ? (['TYPE', type] as const) : [])),
  )
  return list.split('\n').filter((line) => line.includes('id=') && !OWN.test(line))
}

/** Breaks the connections by which the servers listen: those that subscribe, or all where none does. */
export async function breakListeners(fleet: Fleet): Promise<number> {
  const listening = await connectionsOf(fleet, 'pubsub')
  const broken = listening.length > 0 ? listening : await connectionsOf(fleet, 'normal')
  for (const line of broken)
    await fleet.redis.client.call('CLIENT', 'KILL', 'ID', /\bid=(\d+)/.exec(line)![1]!)
  return broken.length
}
