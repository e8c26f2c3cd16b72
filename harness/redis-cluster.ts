import { Redis } from 'ioredis'
import type { ServerNode } from './runtime/runtime.ts'
import { eventuallyTrue } from './wait.ts'

const SLOTS = 16_384

/** Slots of node `index` of `count`: equal ranges in order. */
export function slotRange(index: number, count: number): [from: number, to: number] {
  const size = Math.ceil(SLOTS / count)
  return [index * size, Math.min(SLOTS, (index + 1) * size) - 1]
}

/**
 * Empties the nodes and makes one cluster of them, slots shared equally in the order of the nodes. A cluster accepts
 * writes about 2 s after forming, whatever its settings (Redis: `CLUSTER_WRITABLE_DELAY`).
 */
export async function formCluster(nodes: Pick<ServerNode, 'host' | 'port'>[]): Promise<void> {
  const clients = nodes.map(({ host, port }) => new Redis({ host, port, maxRetriesPerRequest: 2 }))
  for (const client of clients) client.on('error', () => {}) // reported by the command itself
  try {
    if (await formed(clients)) {
      await Promise.all(clients.map((client) => client.flushall()))
      return
    }
    await Promise.all(clients.map((client) => client.flushall()))
    await Promise.all(clients.map((client) => client.call('CLUSTER', 'RESET', 'HARD')))
    await Promise.all(
      clients.map(async (client, i) => {
        const [from, to] = slotRange(i, clients.length)
        await client.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
        await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
      }),
    )
    const buses = await Promise.all(clients.map((client) => client.config('GET', 'cluster-port')))
    for (const [i, node] of nodes.entries()) {
      if (i > 0) await clients[0]!.call('CLUSTER', 'MEET', '127.0.0.1', node.port, (buses[i] as string[])[1]!)
    }
    await eventuallyTrue('the cluster to form', () => formed(clients), { within: 20_000, every: 20 })
  } finally {
    for (const client of clients) client.disconnect()
  }
}

/** Does every node see all slots served, all nodes, and the ranges that {@link formCluster} gave? */
async function formed(clients: Redis[]): Promise<boolean> {
  const views = await Promise.all(
    clients.map(async (client, i) => {
      const info = String(await client.call('CLUSTER', 'INFO'))
      const own = String(await client.call('CLUSTER', 'NODES'))
      const [from, to] = slotRange(i, clients.length)
      const mine = own.split('\n').find((line) => line.includes('myself'))
      return (
        info.includes('cluster_state:ok') &&
        info.includes(`cluster_known_nodes:${clients.length}`) &&
        info.includes(`cluster_slots_ok:${SLOTS}`) &&
        mine?.trim().endsWith(` ${from}-${to}`) === true
      )
    }),
  )
  return views.every(Boolean)
}
