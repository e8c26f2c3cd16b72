import { availableParallelism, loadavg } from 'node:os'
import {
  conninfo,
  eventually,
  follow,
  matrix,
  powerDevice,
  redis,
  renew,
  say,
  startRole,
  when,
  type Database,
  type Matrix,
  type PowerDevice,
  type Random,
  type StartedPostgres,
  type StartedRedis,
  type StartedRole,
} from '#harness'
import { LOOK_MS, published } from './looks.ts'
import { followers, set } from './rows.ts'

type Env = Record<string, string | number>

const NAMES = ['pg1', 'pg2', 'pg3']
const CONTROLLERS = ['c1', 'c2', 'c3']

/** What was said is in the logs of the servers: the links need not read it. */
const PLAIN = { protocol: 'tcp' } as const

/**
 * Quick enough for a test, and patient enough for the machine: the links run in this process, and while it is held up all
 * controllers miss their checks together. It takes three times as long as one check may for a node that is well to be
 * taken for dead.
 */
export function quick(): Env {
  // Of what runs or waits for each processor; asked again and again, since it changes within a run.
  const crowd = Math.min(5, Math.max(1, loadavg()[0]! / (1.2 * availableParallelism())))
  return {
    CHECK_INTERVAL_MS: Math.round(25 * crowd),
    CHECK_TIMEOUT_MS: Math.round(300 * crowd),
    LEASE_TTL_MS: Math.round(450 * crowd),
  }
}

/** A primary and two replicas, and what watches over them. */
export interface Cluster {
  /** As the test begins; it may be any of the names. */
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
  /** The orders on the primary. */
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

/** A new cluster, which ends with the test. With controllers: resolves when they have published it. */
export async function openCluster(random: Random, options: ClusterOptions = {}): Promise<Cluster> {
  const { env = {}, synchronous = false, start = true, notFirst = false } = options
  if (start) when('three controllers are started', 'コントローラーを三台起動する')
  const store = redis('redis')
  const [{ primary, replicas }] = await Promise.all([
    renew('pg', drawNames(random, notFirst)),
    store.client.flushall(),
  ])
  const [a, b] = replicas as [StartedPostgres, StartedPostgres]
  const nodes = [primary, a, b].toSorted((x, y) => (x.name < y.name ? -1 : 1))
  const [reach, upstream] = await Promise.all([
    matrix(CONTROLLERS, nodes, PLAIN),
    matrix(NAMES, nodes, PLAIN),
  ])
  const follows = (node: string, from: string) => conninfoOf(upstream, node, from)
  // Before Postgres is up, a copy would follow nobody.
  const power = await powerDevice({ nodes, conninfo: follows })
  power.refuse('reseed')

  const settings = { REDIS_URL: store.url(), POWER_URL: power.url, ...quick(), ...env }
  const cluster = { primary, a, b, nodes, redis: store, power, reach, upstream, env: settings }
  const controllers = Promise.all(
    CONTROLLERS.map((name) =>
      startRole('controller', { name, env: { ...settings, NODES: nodesFor(cluster, name) }, start }),
    ),
  )
  const prepared = Promise.all([
    primary.databaseInPlace(),
    followByLinks(cluster, follows),
    synchronous && Promise.all(nodes.map((node) => set(node, 'synchronous_standby_names', ANY_OF_THEM))),
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

/** `synchronous_standby_names`: every commit waits for one replica. */
export const ANY_OF_THEM = `ANY 1 (${NAMES.join(', ')})`

/** How a node follows another one, by a link and under its own name. */
export const conninfoOf = (upstream: Matrix, node: string, from: string): string =>
  `${conninfo(upstream.link(node, from))} application_name=${node}`

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
    { every: LOOK_MS },
  )
}
