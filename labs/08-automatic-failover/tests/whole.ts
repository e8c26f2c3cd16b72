import { eventually, follow, say, shared, type Random, type StartedPostgres } from '#harness'
import { ANY_OF_THEM, conninfoOf, openCluster, quick, type Cluster, type ClusterOptions } from './cluster.ts'
import { LOOK_MS, quiet, topologyOf, writable } from './looks.ts'
import { followers, set } from './rows.ts'

/** A failover, and what a controller that is started anew needs. */
const WHOLE_MS = 15_000

type Options = Omit<ClusterOptions, 'start'>

/**
 * The cluster that files of a run share under this name. It is whole: what the last test did to it has been undone, by
 * hand where that is the work of a later step. A new one costs as much as several failovers.
 */
export async function wholeCluster(name: string, random: Random, options: Options = {}): Promise<Cluster> {
  let isNew = false
  const cluster = await shared(name, () => {
    isNew = true
    return openCluster(random, options)
  })
  return isNew ? cluster : putBack(cluster, random, options.synchronous ? ANY_OF_THEM : '')
}

/** Its primary is not the first in `NODES`. */
export const watchedCluster = (random: Random): Promise<Cluster> =>
  wholeCluster('watched', random, { notFirst: true })

/** One candidate is enough for a failover. */
export const oneCandidate = (random: Random): Promise<Cluster> => wholeCluster('one candidate', random)

/** Both replicas must have answered before one is promoted: with synchronous commits, nothing is lost. */
export const bothCandidates = (random: Random, { synchronous = false } = {}): Promise<Cluster> =>
  wholeCluster('both candidates', random, { synchronous, env: { MIN_CANDIDATES: 2 } })

async function putBack(cluster: Cluster, random: Random, standbys: string): Promise<Cluster> {
  const { nodes, controllers, power, reach, upstream, db } = cluster
  power.release()
  power.refuse('fence', 0)
  await Promise.all([reach.heal(), upstream.heal()])
  const later = morePatience(cluster)
  // Those that live do without them until all is whole.
  const started = Promise.all(
    controllers.map((controller) => (later ? controller.restart(later) : controller.up())),
  )
  started.catch(() => {}) // told by rejoin()
  const primary = await presentPrimary(cluster)
  const others = nodes.filter((node) => node !== primary)
  const alive = await Promise.all(nodes.map(answers))
  const settings = { synchronous_standby_names: standbys, recovery_min_apply_delay: '0' }
  await Promise.all(nodes.filter((_, i) => alive[i]).map((node) => putSettings(node, settings)))
  await rejoin(cluster, primary, started)
  await primary.sql('DELETE FROM orders')
  power.calls.length = 0
  const [a, b] = random.shuffle(others) as [StartedPostgres, StartedPostgres]
  return { ...cluster, primary, a, b, db: primary.view(db) }
}

/** Time limits for a machine that has become busier since the controllers were started; undefined while those will do. */
function morePatience({ env }: Cluster): ReturnType<typeof quick> | undefined {
  const now = quick()
  if (Number(now.CHECK_TIMEOUT_MS) < 1.25 * Number(env.CHECK_TIMEOUT_MS)) return undefined
  Object.assign(env, now)
  return now
}

/** Waits until a failover that may be under way is over: one node takes writes, and it is the one that was published. */
async function presentPrimary(cluster: Cluster): Promise<StartedPostgres> {
  const [name] = await eventually(
    say(
      'one node takes writes, and pg:topology names it',
      '書き込めるノードが一台あり、pg:topologyがそれを示す',
    ),
    async () => [...(await writable(cluster)), (await topologyOf(cluster))?.primary?.name],
    ([one, named, ...more]) => one !== undefined && one === named && more.length === 0,
    { within: WHOLE_MS, every: LOOK_MS },
  )
  return cluster.nodes.find((node) => node.name === name)!
}

const answers = (node: StartedPostgres): Promise<boolean> =>
  node.inRecovery().then(
    () => true,
    () => false,
  )

async function putSettings(node: StartedPostgres, wanted: Record<string, string>): Promise<void> {
  const names = Object.keys(wanted)
  const seen = async () => {
    const rows = await node.sql('SELECT name, setting FROM pg_settings WHERE name = ANY($1)', [names])
    return Object.fromEntries(rows.map(({ name, setting }) => [name, setting]))
  }
  const now = await seen()
  const different = names.filter((name) => now[name] !== wanted[name])
  if (different.length === 0) return
  for (const name of different) await set(node, name, wanted[name]!)
  await eventually(say(`settings of ${node.name}`, `${node.name}の設定`), seen, wanted, { every: LOOK_MS })
}

/** Both replicas stream from the primary, and the controllers have seen it: nothing is left for them to do. */
export async function rejoin(
  cluster: Cluster,
  primary: StartedPostgres,
  started: Promise<unknown> = Promise.resolve(),
): Promise<void> {
  const { nodes, power, upstream } = cluster
  power.refuse('reseed', 0)
  const others = nodes.filter((node) => node !== primary)
  const back = async (node: StartedPostgres): Promise<void> => {
    if ((await followers(primary)).includes(node.name)) return
    const conninfo = conninfoOf(upstream, node.name, primary.name)
    if (await answers(node)) return follow(node, conninfo)
    // A design that reseeds as soon as it can has asked before, and may now ask again for what it was refused.
    if (power.asked('reseed').some((call) => call.node === node.name)) {
      await started
      await quiet(cluster, 5)
    }
    if (!(await answers(node))) await node.reseed(primary, conninfo).catch(() => {}) // the design was quicker
  }
  await Promise.all([started, ...others.map(back)])
  await eventually(
    say(
      `both replicas stream from ${primary.name}, and the power device is left alone`,
      `両方のレプリカが${primary.name}からストリームを受け、電源装置には何も求められない`,
    ),
    async () => {
      const before = power.calls.length
      await quiet(cluster, 2)
      return { replicas: await followers(primary), calls: power.calls.length - before }
    },
    ({ replicas, calls }) => calls === 0 && others.every(({ name }) => replicas.includes(name)),
    { within: WHOLE_MS },
  )
  power.refuse('reseed')
}
