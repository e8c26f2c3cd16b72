import { shared } from '#harness'
import { each, startFleet, type Fleet } from './fleet.ts'

/** What the servers have open at Redis. */
export interface Standing {
  connections: number
  subscriptions: number
}

/** Servers that give a Redis up soon, and what they had open before anything was broken. */
export const impatientServers = (): Promise<{ fleet: Fleet; usual: Standing }> =>
  shared('impatient servers', async () => {
    const fleet = await startFleet(3, { REDIS_TIMEOUT_MS: 100 })
    // What a service opens on first use is open after this.
    for (const server of fleet.servers) {
      await server.put(`first of ${server.name}`, 1)
      await each(fleet.servers, `first of ${server.name}`)
    }
    return { fleet, usual: await standingOf(fleet) }
  })

/** What the harness itself has open is no server's. */
const OWN = /\bname=harness\b/

/** Connections of the servers to Redis, as `CLIENT LIST` shows them. */
export async function connectionsOf(fleet: Fleet, type?: 'pubsub' | 'normal'): Promise<string[]> {
  const list = String(
    await fleet.redis.client.call('CLIENT', 'LIST', ...(type ? (['TYPE', type] as const) : [])),
  )
  return list.split('\n').filter((line) => line.includes('id=') && !OWN.test(line))
}

/** Connections of the servers, and channels they listen to, counted by listener. */
export async function standingOf(fleet: Fleet): Promise<Standing> {
  const { client } = fleet.redis
  const channels = (await client.pubsub('CHANNELS', '*')) as string[]
  const counts =
    channels.length === 0 ? [] : ((await client.pubsub('NUMSUB', ...channels)) as (string | number)[])
  return {
    connections: (await connectionsOf(fleet)).length,
    subscriptions: counts.filter((_, i) => i % 2 === 1).reduce((sum: number, n) => sum + Number(n), 0),
  }
}

/** Breaks the connections by which the servers listen: those that subscribe, or all where none does. */
export async function breakListeners(fleet: Fleet): Promise<number> {
  const listening = await connectionsOf(fleet, 'pubsub')
  const broken = listening.length > 0 ? listening : await connectionsOf(fleet, 'normal')
  for (const line of broken)
    await fleet.redis.client.call('CLIENT', 'KILL', 'ID', /\bid=(\d+)/.exec(line)![1]!)
  return broken.length
}
