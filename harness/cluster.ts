import type { Redis } from 'ioredis'
import { link } from './links.ts'
import type { Link } from './link/index.ts'
import { clusterNodes, type StartedRedis } from './redis.ts'
import { atEnd, scopeSignal } from './scope.ts'
import { note } from './timeline.ts'
import { eventuallyTrue } from './wait.ts'

/**
 * A Redis Cluster whose nodes stand behind links (`behindLinks` in `lab.ts`), one a node: clients learn the links'
 * addresses from the cluster itself, the nodes talk to each other past them. Resolves when all slots are served.
 */
export async function redisCluster(component: string, from = 'server'): Promise<StartedCluster> {
  const nodes = clusterNodes(component)
  const links = await Promise.all(
    nodes.map((node) => {
      const { announced } = node.info
      if (!announced) throw new Error(`the nodes of ${component} announce themselves: set behindLinks`)
      return link(from, node, { port: announced })
    }),
  )
  const cluster = new StartedCluster(nodes, links)
  await cluster.ready()
  return cluster
}

/** A slot on its way from one node to another. */
export interface Migration {
  /** Moves the keys that lie in the slot now: all of them, or those that are named. */
  moveKeys(keys?: string[]): Promise<void>
  /** Tells every node who the new owner is. */
  finish(): Promise<void>
}

/** The cluster as an operator sees it. What is done to it is undone when the test ends. */
export class StartedCluster {
  readonly nodes: StartedRedis[]
  /** The way of clients to each node, in the order of the nodes. */
  readonly links: Link[]
  readonly #clients: Redis[]

  constructor(nodes: StartedRedis[], links: Link[]) {
    this.nodes = nodes
    this.links = links
    // A node that was killed is asked again at once when it is back.
    this.#clients = nodes.map((node) => node.connect({ retryStrategy: () => 20, maxRetriesPerRequest: 1 }))
  }

  /** What a role gets: `host:port,host:port,…`. */
  get addresses(): string {
    return this.links.map(({ host, port }) => `${host}:${port}`).join(',')
  }

  /** `cluster_state` as this node sees it. */
  async state(node: number): Promise<string> {
    return /cluster_state:(\w+)/.exec(String(await this.#client(node).call('CLUSTER', 'INFO')))?.[1] ?? ''
  }

  async slotOf(key: string): Promise<number> {
    return Number(await this.#client(0).call('CLUSTER', 'KEYSLOT', key))
  }

  /** Index of the node that owns this slot, by the word of the first one, or of `by`. */
  async owner(slot: number, by = 0): Promise<number> {
    const ranges = (await this.#client(by).call('CLUSTER', 'SLOTS')) as [number, number, [string, number]][]
    const range = ranges.find(([from, to]) => slot >= from && slot <= to)
    return this.nodes.findIndex(({ info }) => info.announced === range?.[2][1])
  }

  /** `CONFIG SET` on every node that answers, undone when the test ends. */
  async set(name: string, value: string | number): Promise<void> {
    await Promise.all(
      this.nodes.map(async (_, i) => {
        const client = this.#client(i)
        const [, before] = (await client.config('GET', name)) as string[]
        await client.config('SET', name, String(value))
        atEnd(() => client.config('SET', name, before!).catch(() => {})) // dead: it starts with its own again
      }),
    )
  }

  /** Resolves when every node sees all slots served, and each master takes a write. */
  async ready(): Promise<void> {
    await eventuallyTrue(
      'the Redis Cluster to be open',
      async () => {
        const each = this.nodes.map(async (_, i) => (await this.state(i)) === 'ok' && this.#writable(i))
        return (await Promise.all(each)).every(Boolean)
      },
      { signal: scopeSignal(), within: 20_000 },
    )
  }

  async flush(): Promise<void> {
    await Promise.all(this.nodes.map((_, i) => this.#client(i).flushall()))
  }

  /** All keys of each node. */
  keys(): Promise<string[][]> {
    return Promise.all(this.nodes.map((_, i) => this.#client(i).keys('*')))
  }

  /** A counter of `INFO`, such as `errorstat_MOVED` or `cmdstat_asking`: how often it was counted. */
  async counted(node: number, name: string): Promise<number> {
    const info = await this.#client(node).info(name.startsWith('errorstat') ? 'errorstats' : 'commandstats')
    return Number(new RegExp(`^${name}:(?:count|calls)=(\\d+)`, 'm').exec(info)?.[1] ?? 0)
  }

  /** Begins to move a slot to a node. It is back where it was when the test ends. */
  async migrate(slot: number, to: number): Promise<Migration> {
    const from = await this.owner(slot)
    atEnd(() => this.#bringBack(slot, from, to))
    return this.#begin(slot, from, to)
  }

  async #begin(slot: number, from: number, to: number): Promise<Migration> {
    const [source, target] = [this.#client(from), this.#client(to)]
    const [sourceId, targetId] = await Promise.all([idOf(source), idOf(target)])
    await target.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', sourceId)
    await source.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', targetId)
    const text = `slot ${slot} is migrating to ${this.nodes[to]!.name}`
    note({ from: 'test', to: this.nodes[from]!.name, kind: 'redis', text })
    return {
      moveKeys: async (keys) => {
        const moved =
          keys ?? ((await source.call('CLUSTER', 'GETKEYSINSLOT', slot, 10_000)) as unknown[]).map(String)
        if (moved.length === 0) return
        const { host, port } = this.nodes[to]!
        await source.call('MIGRATE', host, port, '', 0, 5000, 'REPLACE', 'KEYS', ...moved)
      },
      finish: async () => {
        const others = this.nodes.map((_, i) => i).filter((i) => i !== to && i !== from)
        // The new owner first: a slot without one would close the cluster.
        for (const i of [to, from, ...others])
          await this.#client(i).call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId)
      },
    }
  }

  async #bringBack(slot: number, home: number, other: number): Promise<void> {
    const client = this.#client(other)
    if ((await this.owner(slot, other)) !== other) {
      // Begun and not finished: both forget it. What has moved already is lost, as in any cache.
      await this.#client(home).call('CLUSTER', 'SETSLOT', slot, 'STABLE')
      await client.call('CLUSTER', 'SETSLOT', slot, 'STABLE')
      return
    }
    const back = await this.#begin(slot, other, home)
    await back.moveKeys()
    await back.finish()
  }

  /** A state that says "ok" is not enough: a master may refuse writes a moment longer (redis/redis 11023). */
  async #writable(node: number): Promise<boolean> {
    for (let i = 0; i < 100; i++) {
      const key = `probe-${i}`
      const answer = await this.#client(node)
        .set(key, '1', 'PX', 1)
        .catch((error: Error) => error.message)
      if (answer === 'OK') return true
      if (!answer?.startsWith('MOVED')) return false
    }
    return false
  }

  #client(node: number): Redis {
    return this.#clients[node]!
  }
}

async function idOf(client: Redis): Promise<string> {
  return String(await client.call('CLUSTER', 'MYID'))
}
