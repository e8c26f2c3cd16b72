import { eventually, say, type StartedRole } from '#harness'
import { percentile } from '#harness/bench'
import { IMPATIENT, oneOnEach, openShop, path, seen, warm } from '../../labs/13-redis-cluster/tests/shop.ts'

/** Reads in a loop until stopped; when, how long, and what came. */
function watch(server: StartedRole, ids: readonly string[]) {
  const answers: { at: number; ms: number; seen: string }[] = []
  let over = false
  const loops = ids.map(async (id) => {
    while (!over) {
      const at = performance.now()
      const answer = await server.get(path(id), { within: 6000 })
      answers.push({ at, ms: answer.ms, seen: seen(answer) })
    }
  })
  const stop = async (): Promise<typeof answers> => {
    over = true
    await Promise.all(loops)
    return answers
  }
  return { stop }
}

/** From the kill of a node to the day when all is as before. */
export async function failure(nodeTimeout: number, coverage: 'yes' | 'no'): Promise<Record<string, number>> {
  const shop = await openShop(IMPATIENT)
  const products = await oneOnEach(shop)
  const { cluster } = shop
  await cluster.set('cluster-node-timeout', nodeTimeout)
  await cluster.set('cluster-require-full-coverage', coverage)
  const watching = watch(
    shop.a,
    products.map(({ id }) => id),
  )
  const killed = performance.now()
  await cluster.nodes[2]!.kill()
  const info = async (): Promise<string> => String(await cluster.nodes[0]!.client.call('CLUSTER', 'INFO'))
  const down = (text: string): boolean => /cluster_state:fail|cluster_slots_fail:[1-9]/.test(text)
  await eventually(say('noticed', '気づく'), info, down, { within: 30_000 })
  const noticed = performance.now()
  await cluster.nodes[2]!.start()
  const started = performance.now()
  await cluster.ready()
  const open = performance.now()
  await warm(shop.a, products[2].id, { within: 10_000 })
  const whole = performance.now()
  const answers = (await watching.stop()).filter(({ at }) => at >= killed)
  await Promise.all([shop.a.kill(), shop.b.kill()])
  await Promise.all(cluster.links.map((link) => link.close()))
  const bypassed = answers.filter((answer) => answer.seen === '200 bypass').length
  return {
    noticed: noticed - killed,
    open: open - started,
    hit: whole - open,
    answers: answers.length,
    failed: answers.filter((answer) => !answer.seen.startsWith('200')).length,
    bypassPercent: (100 * bypassed) / answers.length,
    p99: percentile(
      answers.map(({ ms }) => ms),
      0.99,
    ),
    longest: Math.max(...answers.map(({ ms }) => ms)),
  }
}

export const rounded = (figures: Record<string, number>, suffix: string): Record<string, number> =>
  Object.fromEntries(Object.entries(figures).map(([name, value]) => [`${name}-${suffix}`, Math.round(value)]))

/** Longest answer while a node is dead, and while one is frozen. */
export async function longest(): Promise<Record<'dead' | 'frozen', number>> {
  const shop = await openShop(IMPATIENT)
  const products = await oneOnEach(shop)
  await shop.cluster.set('cluster-node-timeout', 200)
  const found = { dead: 0, frozen: 0 }
  for (const kind of ['frozen', 'dead'] as const) {
    const watching = watch(
      shop.a,
      products.map(({ id }) => id),
    )
    const node = shop.cluster.nodes[2]!
    await (kind === 'dead' ? node.kill() : node.freeze())
    await eventually(say('noticed', '気づく'), () => shop.cluster.state(0), 'fail')
    await Promise.race([watching.stop(), new Promise((resolve) => setTimeout(resolve, 4000))])
    await (kind === 'dead' ? node.start() : node.thaw())
    found[kind] = Math.max(...(await watching.stop()).map(({ ms }) => ms))
    await shop.cluster.ready()
  }
  await Promise.all([shop.a.kill(), shop.b.kill()])
  await Promise.all(shop.cluster.links.map((link) => link.close()))
  return found
}
