import { startComponent, streaming, type NodeInfo, type Started } from './components.ts'
import { Databases } from './databases.ts'
import type { ComponentSpec, Topology } from './lab.ts'
import { formCluster } from './redis-cluster.ts'
import type { Runtime } from './runtime/runtime.ts'
import { sqlOnce } from './sql.ts'
import { emptyRedis, isPast4GiB, revive, versionOf } from './upkeep.ts'

export { streaming, type NodeInfo } from './components.ts'

export type Verb = 'kill' | 'start' | 'freeze' | 'thaw'

/** What tests ask of the process that keeps the topology warm. */
export interface TopologyApi {
  nodes(): Promise<NodeInfo[]>
  act(node: string, verb: Verb): Promise<void>
  /** A database cloned from the lab's template on the primary of this component; its name. */
  database(component: string): Promise<string>
  /** The lab's data in the component's own database `postgres`, for a cluster that lives for one test; its name. */
  databaseInPlace(component: string): Promise<string>
  /**
   * Replaces the component by a new one: what was promoted or has diverged can't be healed.
   * @param names of the primary and its replicas; default those of `lab.ts`
   */
  renew(component: string, names?: readonly string[]): Promise<NodeInfo[]>
  /** Makes a dead node a standby of `from` by a fresh base copy; it follows by `conninfo`. Its old data are set aside. */
  reseed(node: string, from: string, conninfo: string): Promise<void>
  /** One more component, for this run only. */
  add(component: string, spec: ComponentSpec): Promise<NodeInfo[]>
}

/** What tests may ask of a topology, as functions that stand for themselves. */
export function topologyApi(started: () => Promise<TopologyApi>): TopologyApi {
  return {
    nodes: async () => (await started()).nodes(),
    act: async (node, verb) => (await started()).act(node, verb),
    database: async (component) => (await started()).database(component),
    databaseInPlace: async (component) => (await started()).databaseInPlace(component),
    renew: async (component, names) => (await started()).renew(component, names),
    reseed: async (node, from, conninfo) => (await started()).reseed(node, from, conninfo),
    add: async (component, spec) => (await started()).add(component, spec),
  }
}

/** Starts the real components of a lab and keeps them between runs. */
export class StartedTopology implements TopologyApi {
  readonly runtime: Runtime
  readonly databases: Databases
  readonly #spec: Topology
  readonly #nodes = new Map<string, Started>()
  readonly #added = new Map<string, ComponentSpec>()
  readonly #spares = new Map<string, Promise<Started[]>>()
  /** Servers that come up now. */
  readonly #starting = new Set<Promise<Started[]>>()
  #ending = false

  private constructor(runtime: Runtime, spec: Topology) {
    this.runtime = runtime
    this.#spec = spec
    this.databases = new Databases((component) => this.#primary(component).info)
  }

  static async start(runtime: Runtime, spec: Topology): Promise<StartedTopology> {
    const topology = new StartedTopology(runtime, spec)
    const parts = Object.entries(spec)
    const started = await Promise.allSettled(parts.map(([name, part]) => startComponent(runtime, name, part)))
    for (const part of started) if (part.status === 'fulfilled') topology.#enter(part.value)
    const failed = started.find((part) => part.status === 'rejected')
    if (!failed) return topology
    // Half a topology is of no use to anybody.
    await Promise.allSettled([...topology.#nodes.values()].map((node) => node.server.remove()))
    throw failed.reason
  }

  async nodes(): Promise<NodeInfo[]> {
    return [...this.#nodes.values()].map((node) => node.info)
  }

  async act(node: string, verb: Verb): Promise<void> {
    await this.#node(node).server[verb]()
  }

  async reseed(node: string, from: string, conninfo: string): Promise<void> {
    await this.#node(node).server.reseed(this.#node(from).server, conninfo)
  }

  database(component: string): Promise<string> {
    return this.databases.take(component)
  }

  databaseInPlace(component: string): Promise<string> {
    return this.databases.inPlace(component)
  }

  async renew(component: string, names?: readonly string[]): Promise<NodeInfo[]> {
    const spec = this.#spec[component] ?? this.#added.get(component)
    if (!spec) throw new Error(`there is no component ${component} in this topology`)
    const spare = this.#spares.get(component)?.catch(() => undefined)
    const fresh = (await spare) ?? (await this.#start(component, spec))
    // Whoever renews once renews again: the next one is made while the test runs.
    const next = this.#start(component, spec)
    next.catch(() => {}) // made anew when it is wanted, and that failure is told
    this.#spares.set(component, next)
    await this.#retire(component)
    const renamed = fresh.map((node, i) => (names ? called(node, names[i] ?? node.info.name) : node))
    this.#enter(renamed)
    return renamed.map((node) => node.info)
  }

  async add(component: string, spec: ComponentSpec): Promise<NodeInfo[]> {
    this.#added.set(component, spec)
    const fresh = await this.#start(component, spec)
    this.#enter(fresh)
    return fresh.map((node) => node.info)
  }

  /** Brings everything back to the state that a run may count on, whatever the last one left. */
  async heal(): Promise<void> {
    if (this.#ending) return // no run comes any more
    for (const component of this.#added.keys()) await this.#retire(component)
    this.#added.clear()
    await Promise.all(
      Object.entries(this.#spec).map(async ([component, spec]) => {
        const healthy = await this.#healComponent(component, spec).catch(() => false)
        if (!healthy) await this.renew(component)
      }),
    )
    await this.databases.dropTaken()
  }

  /** `{ postgres: '18.4', redis: '7.0.15' }`, as the servers themselves say. */
  async versions(): Promise<Record<string, string>> {
    const found: Record<string, string> = {}
    for (const { info } of this.#nodes.values()) found[info.kind] ??= await versionOf(info)
    return found
  }

  /** Resolves when nothing is being started; from now on nothing will be, so that its runtime can end. */
  async quiet(): Promise<void> {
    this.#ending = true
    await Promise.allSettled(this.#starting)
  }

  /** Ends it, and its runtime. */
  async close(): Promise<void> {
    await this.quiet()
    await this.runtime.close()
  }

  async #start(component: string, spec: ComponentSpec): Promise<Started[]> {
    if (this.#ending) throw new Error(`${component} is not started any more: the command is ending`)
    const starting = startComponent(this.runtime, component, spec)
    this.#starting.add(starting)
    return starting.finally(() => this.#starting.delete(starting))
  }

  async #healComponent(component: string, spec: ComponentSpec): Promise<boolean> {
    const nodes = [...this.#nodes.values()].filter((node) => node.info.component === component)
    await Promise.all(nodes.map((node) => revive(node)))
    if (spec.kind === 'redis') await Promise.all(nodes.map((node) => emptyRedis(node.info)))
    if (spec.kind === 'redis-cluster') await formCluster(nodes.map((node) => node.server))
    if (spec.kind !== 'replicated') return true
    const replicas = nodes.filter((node) => node.info.role === 'replica')
    for (const { info } of nodes) {
      const [row] = await sqlOnce(info, 'postgres', 'SELECT pg_is_in_recovery() AS standby')
      if (row?.standby !== (info.role === 'replica')) return false
    }
    if (spec.far && (await isPast4GiB(this.#primary(component).info))) return false
    for (const { info } of replicas) await sqlOnce(info, 'postgres', 'SELECT pg_wal_replay_resume()')
    await streaming(this.#primary(component).server, replicas.length)
    return true
  }

  async #retire(component: string): Promise<void> {
    const old = [...this.#nodes.values()].filter((node) => node.info.component === component)
    for (const node of old) this.#nodes.delete(node.info.name)
    this.databases.forget(component)
    await Promise.all(old.map((node) => node.server.remove()))
  }

  #enter(nodes: Started[]): void {
    for (const node of nodes) this.#nodes.set(node.info.name, node)
  }

  #node(name: string): Started {
    const found = this.#nodes.get(name)
    if (!found)
      throw new Error(`there is no server ${name} in this topology: ${[...this.#nodes.keys()].join(', ')}`)
    return found
  }

  #primary(component: string): Started {
    const found = [...this.#nodes.values()].find(
      (n) => n.info.component === component && n.info.role !== 'replica',
    )
    if (!found) throw new Error(`there is no component ${component} in this topology`)
    return found
  }
}

/** The same server under the name by which this test knows it. */
function called({ server, info }: Started, name: string): Started {
  return { server, info: { ...info, name } }
}
