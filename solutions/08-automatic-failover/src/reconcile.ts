import { FAIL_THRESHOLD } from './config.ts'
import { member } from './failover.ts'
import { conninfoOf, nodeOf, nodes, others, repoint, type Node } from './nodes.ts'
import { fence, reseed } from './power.ts'
import { isLeader, markForReseed, publish, reseeded, toReseed, type Topology } from './shared.ts'

// #region first
/** Nothing is published yet: the cluster is as it is found. */
export async function adopt(): Promise<void> {
  const [primary, ...more] = nodes.filter(({ seen }) => seen.role === 'primary')
  if (primary && more.length === 0) await publish({ epoch: 1, ...membersOf(primary, []) })
}
// #endregion first

// #region reconcile
/** Compares what is with what should be, and mends the difference. The primary is up. */
export async function reconcile(topology: Topology): Promise<void> {
  const primary = nodeOf(topology.primary.name)
  if (primary.seen.role !== 'primary') return
  const marked = await toReseed()
  // One that can't be mended now must not hold up the others; the next round tries again.
  await Promise.allSettled(
    others(primary.name).map(async (node) => {
      if (marked.includes(node.name) || node.seen.role === 'primary') await replaceData(node, primary)
      else if (isAstray(node, primary)) await repoint(node, primary)
    }),
  )
  const now = membersOf(
    primary,
    topology.replicas.map(({ name }) => name),
  )
  if (JSON.stringify(now.replicas) !== JSON.stringify(topology.replicas))
    await publish({ epoch: topology.epoch + 1, ...now })
}

/** It follows nobody, because it was told to follow somebody else. */
function isAstray(node: Node, primary: Node): boolean {
  const { up, role, conninfo } = node.seen
  return up && role === 'replica' && !follows(node, primary) && conninfo !== conninfoOf(node, primary)
}

/**
 * Writable, and not the primary: it has come back with writes that nobody else has, and may take more. It is fenced
 * whatever the length of its WAL; its old data are kept aside by the device.
 */
async function replaceData(node: Node, primary: Node): Promise<void> {
  if (!isLeader()) return
  await markForReseed(node.name)
  await fence(node.name)
  // The fence may have taken its time, and the next leader may have given the node its new data by now.
  if (!isLeader()) return
  await reseed(node.name, primary.name)
  await reseeded(node.name)
}
// #endregion reconcile

// #region members
/** Checks in a row in which a replica did not follow; one bad moment doesn't take it out of the list. */
const away = new Map<string, number>()

/** @param before those that were in the list */
function membersOf(primary: Node, before: readonly string[]) {
  const replicas = others(primary.name).filter((node) => {
    const missed = follows(node, primary) ? 0 : (away.get(node.name) ?? 0) + 1
    away.set(node.name, missed)
    return missed === 0 || (before.includes(node.name) && missed < FAIL_THRESHOLD)
  })
  return { primary: member(primary), replicas: replicas.map(member) }
}

function follows(node: Node, primary: Node): boolean {
  return node.seen.up && primary.seen.followers.includes(node.name)
}
// #endregion members
