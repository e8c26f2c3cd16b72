import { setTimeout as pause } from 'node:timers/promises'
import { eventually, expect, say, type StartedPostgres, type StartedRole } from '#harness'
import type { Cluster } from './cluster.ts'

export interface Topology {
  epoch: number
  primary: { name: string; url: string }
  replicas: { name: string; url: string }[]
}

export interface Status {
  leader: boolean
  epoch: number
  checks: number
  state: string
  reason: string | null
  declaredDown: { node: string; observers: string[] } | null
  nodes: {
    name: string
    up: boolean
    failures: number
    role: string
    lsn: string | null
    timeline: number | null
  }[]
}

/** Between two looks that cost those who are asked something: on two cores they stand in each other's way. */
export const LOOK_MS = 20

/** What takes a correct solution a check, a lease or a reload. Long for a busy machine: it is a bound against a hang. */
const SOON_MS = 8000

/** Detection, fence, promotion. */
const FAILOVER_MS = 15_000

export async function topologyOf({ redis }: Pick<Cluster, 'redis'>): Promise<Topology | null> {
  const text = await redis.client.get('pg:topology')
  return text === null ? null : (JSON.parse(text) as Topology)
}

/** The topology in one line: `pg2 ← pg1, pg3`. */
const asLine = (topology: Topology | null): string =>
  topology ? line(topology.primary, topology.replicas ?? []) : 'none'

type Named = { name: string } | undefined

function line(primary: Named, replicas: readonly Named[]): string {
  const names = replicas.map((replica) => String(replica?.name)).toSorted((x, y) => (x < y ? -1 : 1))
  return `${primary?.name} ← ${names.join(', ')}`
}

/** Waits until this is what `pg:topology` says; the topology. */
export async function published(
  cluster: Cluster,
  primary = cluster.primary,
  replicas = cluster.nodes.filter((node) => node !== primary),
  { hint, within = SOON_MS }: { hint?: 1 | 2 | 3; within?: number } = {},
): Promise<Topology> {
  const wanted = line(primary, replicas)
  let last: Topology | null = null
  await eventually(
    say(`pg:topology says ${wanted}`, `pg:topologyが${wanted}を示す`),
    async () => asLine((last = await topologyOf(cluster))),
    wanted,
    { hint, within },
  )
  return last!
}

export async function statusOf(controller: StartedRole): Promise<Status> {
  const answer = await controller.get('/status')
  expect(answer, say(`GET /status of ${controller.name}`, `${controller.name}のGET /status`)).toAnswer(200)
  return answer.body as Status
}

/** Waits until exactly one of them leads. */
export async function leaderOf(
  { controllers }: Pick<Cluster, 'controllers'>,
  hint?: 1 | 2 | 3,
): Promise<StartedRole> {
  let leading: StartedRole[] = []
  await eventually(
    say('exactly one of the controllers leads', 'リーダーはちょうど一台'),
    async () => {
      const all = await Promise.all(controllers.map(statusOf))
      leading = controllers.filter((_, i) => all[i]!.leader)
      return leading.map(({ name }) => name)
    },
    (names) => names.length === 1,
    { hint, every: LOOK_MS, within: SOON_MS },
  )
  return leading[0]!
}

/** Waits until nobody leads any more: a leader stops by its own clock. */
export async function leaderless({ controllers }: Pick<Cluster, 'controllers'>): Promise<void> {
  await eventually(
    say('nobody leads', '誰も率いていない'),
    async () => (await Promise.all(controllers.map(statusOf))).map(({ leader }) => leader),
    (leading) => !leading.includes(true),
    { every: LOOK_MS, within: SOON_MS },
  )
}

/** So many further rounds of checks of every controller: what has not happened by then is not going to. */
export async function quiet({ controllers }: Pick<Cluster, 'controllers'>, rounds: number): Promise<void> {
  await Promise.all(
    controllers.map(async (controller) => {
      const { checks: before } = await statusOf(controller)
      await eventually(
        say(`${rounds} more checks of ${controller.name}`, `${controller.name}のチェックがあと${rounds}回`),
        async () => (await statusOf(controller)).checks - before,
        (more) => more >= rounds,
        { within: SOON_MS + 1000 * rounds, every: LOOK_MS },
      )
    }),
  )
}

/**
 * Nodes that are out of recovery now, of those that answer.
 * @param ms longest wait for a node that says nothing: a busy machine must not pass for a frozen node
 */
export async function writable({ nodes }: Pick<Cluster, 'nodes'>, ms = 5000): Promise<string[]> {
  const looks = nodes.map(async (node) => {
    const standby = await Promise.race([
      node.inRecovery().catch(() => undefined),
      pause(ms, undefined, { ref: false }),
    ])
    return standby === false ? [node.name] : []
  })
  return (await Promise.all(looks)).flat()
}

/** Waits until another node than this one is published as the primary; that node. */
export async function replaced(
  cluster: Cluster,
  old = cluster.primary,
  hint?: 1 | 2 | 3,
): Promise<StartedPostgres> {
  let next: StartedPostgres | undefined
  await eventually(
    say(
      `pg:topology names another primary than ${old.name}`,
      `pg:topologyが${old.name}以外をプライマリとする`,
    ),
    async () => {
      const topology = await topologyOf(cluster)
      next = cluster.nodes.find((node) => node !== old && node.name === topology?.primary?.name)
      return asLine(topology)
    },
    () => next !== undefined,
    { within: FAILOVER_MS, hint },
  )
  return next!
}

/** Nobody has been declared down, fenced or promoted. */
export async function expectPeace(cluster: Cluster, hint?: 1 | 2 | 3): Promise<void> {
  const declared = await Promise.all(
    cluster.controllers.map(async (controller) => (await statusOf(controller)).declaredDown),
  )
  expect(declared, say('declaredDown of the controllers', 'コントローラーのdeclaredDown'), { hint }).toEqual(
    cluster.controllers.map(() => null),
  )
  await expectUntouched(cluster, hint)
}

/** Nobody has been fenced or promoted; another node than the primary may have been down. */
export async function expectUntouched(cluster: Cluster, hint?: 1 | 2 | 3): Promise<void> {
  expect(fenced(cluster), say('fenced nodes', '隔離されたノード'), { hint }).toEqual([])
  expect(await writable(cluster), say('writable nodes', '書き込めるノード'), { hint }).toEqual([
    cluster.primary.name,
  ])
}

/** Names of the nodes that the power device was asked to fence. */
export function fenced({ power }: Pick<Cluster, 'power'>): string[] {
  return [...new Set(power.asked('fence').map(({ node }) => node))]
}

/** Waits until a controller says that this node is down, and that enough others agree. */
export async function declared(cluster: Cluster, node: StartedPostgres, hint?: 1 | 2 | 3): Promise<void> {
  await eventually(
    say(
      `a declaredDown of ${node.name} with 2 observers or more`,
      `${node.name}のdeclaredDown（observersは2以上）`,
    ),
    async () =>
      (await Promise.all(cluster.controllers.map(statusOf))).map(({ declaredDown }) => declaredDown),
    (all) => all.some((one) => one?.node === node.name && new Set(one.observers).size >= 2),
    { within: FAILOVER_MS, hint, every: LOOK_MS },
  )
}

/** What a controller sees of a node. */
export async function viewOf(
  controller: StartedRole,
  node: StartedPostgres,
): Promise<Status['nodes'][number]> {
  const { nodes } = await statusOf(controller)
  const view = nodes?.find(({ name }) => name === node.name)
  expect(
    view,
    say(`${node.name} in nodes of ${controller.name}`, `${controller.name}のnodesにある${node.name}`),
  ).toBeDefined()
  return view!
}

/** Waits until a controller has missed so many checks of a node in a row; 0: until it sees it again. */
export async function missed(
  controller: StartedRole,
  node: StartedPostgres,
  failures: number,
): Promise<void> {
  await eventually(
    failures
      ? say(
          `${failures} failed checks of ${node.name} by ${controller.name}`,
          `${controller.name}による${node.name}のチェックが${failures}回失敗`,
        )
      : say(`${controller.name} sees ${node.name} again`, `${controller.name}から${node.name}が再び見える`),
    async () => (await viewOf(controller, node)).failures,
    (seen) => (failures ? seen >= failures : seen === 0),
    { every: LOOK_MS, within: SOON_MS },
  )
}
