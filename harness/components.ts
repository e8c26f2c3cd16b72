import type { ComponentSpec, ReplicatedSpec } from './lab.ts'
import { formCluster } from './redis-cluster.ts'
import type { Runtime, ServerNode } from './runtime/runtime.ts'
import { lsn, sqlOnce } from './sql.ts'
import { eventuallyTrue } from './wait.ts'

/** What a test may know of one server of the topology. */
export interface NodeInfo {
  name: string
  kind: 'postgres' | 'redis'
  host: string
  port: number
  /** The port that a cluster node tells its clients, where links stand in front. */
  announced?: number
  log: string
  /** Name of the component in `lab.ts` that it belongs to. */
  component: string
  role: 'alone' | 'primary' | 'replica' | 'cluster'
}

/** A server of the topology, and what is told of it. */
export interface Started {
  info: NodeInfo
  server: ServerNode
}

/** Starts one component of a topology: the primary, or the server alone, comes first. */
export async function startComponent(
  runtime: Runtime,
  name: string,
  spec: ComponentSpec,
): Promise<Started[]> {
  const { settings } = spec
  if (spec.kind === 'redis') {
    return [describe(await runtime.redis({ name, settings }), name, 'redis', 'alone')]
  }
  if (spec.kind === 'redis-cluster') {
    const nodes = await runtime.redisCluster({
      name,
      settings,
      nodes: 3,
      behindLinks: spec.behindLinks,
    })
    await formCluster(nodes)
    return nodes.map((node) => describe(node, name, 'redis', 'cluster'))
  }
  // A statement can ask `current_setting('cluster_name')` where it runs.
  const named = (server: string) => ({ name: server, settings: { cluster_name: server, ...settings } })
  const far = spec.kind === 'replicated' && spec.far === true
  const primary = await runtime.postgres({ ...named(name), far })
  await sqlOnce(primary, 'postgres', 'CREATE ROLE app LOGIN; GRANT pg_monitor TO app')
  if (spec.kind === 'postgres') return [describe(primary, name, 'postgres', 'alone')]
  const replicas = await Promise.all(
    replicaNames(name, spec.replicas).map((replica) =>
      runtime.postgres({ ...named(replica), far, follow: { port: primary.port, of: primary } }),
    ),
  )
  await streaming(primary, replicas.length)
  return [
    describe(primary, name, 'postgres', 'primary'),
    ...replicas.map((replica) => describe(replica, name, 'postgres', 'replica')),
  ]
}

/** Resolves when the primary streams to so many replicas, and all have what it has now. */
export async function streaming(
  primary: { host: string; port: number; name: string },
  replicas: number,
): Promise<void> {
  const [now] = await sqlOnce(primary, 'postgres', 'SELECT pg_current_wal_flush_lsn() AS lsn')
  await eventuallyTrue(`${replicas} replicas to follow ${primary.name}`, async () => {
    const rows = await sqlOnce(
      primary,
      'postgres',
      "SELECT replay_lsn FROM pg_stat_replication WHERE state = 'streaming'",
    )
    return rows.filter((row) => row.replay_lsn && lsn(row.replay_lsn) >= lsn(now?.lsn)).length >= replicas
  })
}

function replicaNames(primary: string, replicas: ReplicatedSpec['replicas']): readonly string[] {
  if (typeof replicas !== 'number') return replicas
  return Array.from({ length: replicas }, (_, i) => `${primary}-replica-${i + 1}`)
}

function describe(
  server: ServerNode,
  component: string,
  kind: NodeInfo['kind'],
  role: NodeInfo['role'],
): Started {
  const { name, host, port, announced, log } = server
  return { server, info: { name, host, port, announced, log, component, kind, role } }
}
