import {
  conninfo,
  eventually,
  expect,
  follow,
  matrix,
  powerDevice,
  redis,
  renew,
  say,
  startRole,
  type Database,
  type Matrix,
  type PowerDevice,
  type Random,
  type StartedPostgres,
  type StartedRedis,
  type StartedRole,
} from '#harness'

type Env = Record<string, string | number>

const NAMES = ['pg1', 'pg2', 'pg3']
const CONTROLLERS = ['c1', 'c2', 'c3']

/** Quick enough for a test, slow enough for a busy machine. */
const QUICK: Env = { CHECK_INTERVAL_MS: 50, CHECK_TIMEOUT_MS: 100, LEASE_TTL_MS: 500 }

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

/** A primary and two replicas that nobody has used, and what watches over them. All of it ends with the test. */
export interface Cluster {
  /** The first primary; it may be any of the names. */
  primary: StartedPostgres
  a: StartedPostgres
  b: StartedPostgres
  /** By name. */
  nodes: StartedPostgres[]
  redis: StartedRedis
  power: PowerDevice
  controllers: StartedRole[]
  /** Controllers × nodes. */
  reach: Matrix
  /** Nodes × nodes: by these links replicas follow. */
  upstream: Matrix
  /** What a controller gets. */
  env: Env
  /** The orders on the first primary. */
  db: Database
}

export interface ClusterOptions {
  env?: Env
  /** Every commit waits for one replica. */
  synchronous?: boolean
  /** False: machines for the controllers, and nothing runs on them yet. */
  start?: boolean
  /** The first primary is not the first in `NODES`. */
  notFirst?: boolean
}

/** A new cluster. With controllers: resolves when they have published it. */
export async function openCluster(random: Random, options: ClusterOptions = {}): Promise<Cluster> {
  const { env = {}, synchronous = false, start = true, notFirst = false } = options
  const store = redis('redis')
  const [{ primary, replicas }] = await Promise.all([
    renew('pg', drawNames(random, notFirst)),
    store.client.flushall(),
  ])
  const [a, b] = replicas as [StartedPostgres, StartedPostgres]
  const nodes = [primary, a, b].toSorted((x, y) => (x.name < y.name ? -1 : 1))
  const [reach, upstream] = await Promise.all([matrix(CONTROLLERS, nodes), matrix(NAMES, nodes)])
  const follows = (node: string, from: string) =>
    `${conninfo(upstream.link(node, from))} application_name=${node}`
  // Before Postgres is up, a copy would follow nobody.
  const power = await powerDevice({ nodes, conninfo: follows })
  power.refuse('reseed')

  const settings = { REDIS_URL: store.url(), POWER_URL: power.url, ...QUICK, ...env }
  const cluster = { primary, a, b, nodes, redis: store, power, reach, upstream, env: settings }
  const controllers = Promise.all(
    CONTROLLERS.map((name) =>
      startRole('controller', { name, env: { ...settings, NODES: nodesFor(cluster, name) }, start }),
    ),
  )
  const prepared = Promise.all([
    primary.databaseInPlace(),
    followByLinks(cluster, follows),
    synchronous && Promise.all(nodes.map((node) => set(node, 'synchronous_standby_names', ANY))),
  ])
  const [started, [db]] = await Promise.all([controllers, prepared])
  const whole = { ...cluster, controllers: started, db }
  if (start) await published(whole)
  return whole
}

function drawNames(random: Random, notFirst: boolean): string[] {
  const [first = '', ...rest] = NAMES
  if (!notFirst) return random.shuffle(NAMES)
  const [primary = '', ...others] = random.shuffle(rest)
  return [primary, ...random.shuffle([first, ...others])]
}

const ANY = `ANY 1 (${NAMES.join(', ')})`

/** A setting of one server. */
export async function set(node: StartedPostgres, name: string, value: string): Promise<void> {
  await node.sql(`ALTER SYSTEM SET ${name} = '${value.replaceAll("'", "''")}'`)
  await node.sql('SELECT pg_reload_conf()')
}

type Parts = Omit<Cluster, 'controllers' | 'db'>

function nodesFor({ nodes, reach, upstream }: Parts, controller: string): string {
  const config = nodes.map((node) => ({
    name: node.name,
    url: url(reach.link(controller, node.name), 'postgres', controller),
    clientUrl: url(node, 'app'),
    upstream: Object.fromEntries(
      nodes
        .filter((other) => other !== node)
        .map((other) => [other.name, conninfo(upstream.link(node.name, other.name))]),
    ),
  }))
  return JSON.stringify(config)
}

function url({ host, port }: { host: string; port: number }, user: string, application?: string): string {
  const base = `postgres://${user}@${host}:${port}/postgres`
  return application ? `${base}?application_name=${application}` : base
}

/** The harness begins them on a straight path, which no test could cut. */
async function followByLinks(
  { primary, a, b }: Parts,
  follows: (node: string, from: string) => string,
): Promise<void> {
  await Promise.all([a, b].map((node) => follow(node, follows(node.name, primary.name))))
  await eventually(
    say('both replicas stream by their links', '両方のレプリカがリンク経由でストリームを受ける'),
    () => followers(primary),
    (names) => [a, b].every(({ name }) => names.includes(name)),
  )
}

/** Who streams from a node, by their own names. */
export async function followers(node: StartedPostgres): Promise<string[]> {
  const rows = await node.sql(
    "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming' ORDER BY 1",
  )
  return rows.map((row) => String(row.application_name))
}

export async function topologyOf({ redis }: Pick<Cluster, 'redis'>): Promise<Topology | null> {
  const text = await redis.client.get('pg:topology')
  return text === null ? null : (JSON.parse(text) as Topology)
}

/** The topology in one line: `pg2 ← pg1, pg3`. */
export const asLine = (topology: Topology | null): string =>
  topology
    ? `${topology.primary?.name} ← ${(topology.replicas ?? [])
        .map(({ name }) => name)
        .toSorted()
        .join(', ')}`
    : 'none'

const line = (primary: StartedPostgres, replicas: StartedPostgres[]): string =>
  `${primary.name} ← ${replicas
    .map(({ name }) => name)
    .toSorted()
    .join(', ')}`

/** Waits until this is what `pg:topology` says; the topology. */
export async function published(
  cluster: Cluster,
  primary = cluster.primary,
  replicas = cluster.nodes.filter((node) => node !== primary),
  hint?: 1 | 2 | 3,
): Promise<Topology> {
  const wanted = line(primary, replicas)
  let last: Topology | null = null
  await eventually(
    say(`pg:topology says ${wanted}`, `pg:topologyが${wanted}を示す`),
    async () => asLine((last = await topologyOf(cluster))),
    wanted,
    { hint },
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
    { hint },
  )
  return leading[0]!
}

/** So many further rounds of checks of every controller: what has not happened by then is not going to. */
export async function quiet(
  { controllers }: Pick<Cluster, 'controllers'>,
  rounds: number,
  within = 8000,
): Promise<void> {
  await Promise.all(
    controllers.map(async (controller) => {
      const { checks: before } = await statusOf(controller)
      await eventually(
        say(`${rounds} more checks of ${controller.name}`, `${controller.name}のチェックがあと${rounds}回`),
        async () => (await statusOf(controller)).checks - before,
        (more) => more >= rounds,
        { within },
      )
    }),
  )
}

/** Nodes that are out of recovery now, of those that answer. */
export async function writable({ nodes }: Pick<Cluster, 'nodes'>): Promise<string[]> {
  const looks = nodes.map(async (node) => {
    const rows = await node.sql('SELECT pg_is_in_recovery() AS standby', [], { ms: 300 }).catch(() => [])
    return rows[0]?.standby === false ? [node.name] : []
  })
  return (await Promise.all(looks)).flat()
}

/** The least time that a failover may take on a machine that is busy with other things. */
const FAILOVER_MS = 8000

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

/** Waits until this node has received, and put on disk, all that the primary has written. */
export async function received(primary: StartedPostgres, node: StartedPostgres): Promise<void> {
  const [now] = await primary.sql('SELECT pg_current_wal_lsn()::text AS lsn')
  await eventually(
    say(
      `${node.name} has received what ${primary.name} has written`,
      `${primary.name}が書いたものを${node.name}が受け取っている`,
    ),
    () =>
      primary.sql(
        'SELECT flush_lsn FROM pg_stat_replication WHERE application_name = $1 AND flush_lsn >= $2::pg_lsn',
        [node.name, now?.lsn],
      ),
    (rows) => rows.length > 0,
  )
}

/** Cuts the link by which a replica follows, and waits until its primary has noticed. */
export async function partFrom(
  cluster: Cluster,
  primary: StartedPostgres,
  node: StartedPostgres,
): Promise<void> {
  cluster.upstream.link(node.name, primary.name).cut()
  await eventually(
    say(
      `${node.name} no longer streams from ${primary.name}`,
      `${node.name}が${primary.name}からのストリームを失う`,
    ),
    () => followers(primary),
    (names) => !names.includes(node.name),
  )
}

/** Writes rows straight into a node. */
export async function insert(node: StartedPostgres, item: string, count = 1): Promise<void> {
  await node.sql('INSERT INTO orders SELECT gen_random_uuid(), $1 FROM generate_series(1, $2)', [item, count])
}

/** How many rows of this item a node has. */
export async function rowsOf(node: StartedPostgres, item: string): Promise<number> {
  const [row] = await node.sql('SELECT count(*)::int AS n FROM orders WHERE item = $1', [item])
  return Number(row?.n)
}

/** Nobody has been declared down, fenced or promoted. */
export async function expectPeace(cluster: Cluster, hint?: 1 | 2 | 3): Promise<void> {
  const declared = await Promise.all(
    cluster.controllers.map(async (controller) => (await statusOf(controller)).declaredDown),
  )
  expect(declared, say('declaredDown of the controllers', 'コントローラーのdeclaredDown'), { hint }).toEqual(
    cluster.controllers.map(() => null),
  )
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
      `${node.name}のdeclaredDown(observersは2以上)`,
    ),
    async () =>
      (await Promise.all(cluster.controllers.map(statusOf))).map(({ declaredDown }) => declaredDown),
    (all) => all.some((one) => one?.node === node.name && new Set(one.observers).size >= 2),
    { within: FAILOVER_MS, hint },
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
  )
}
