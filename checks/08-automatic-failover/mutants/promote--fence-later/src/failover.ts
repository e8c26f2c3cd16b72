import { choose, parseLsn, type Choice, type Position } from './choose.ts'
import { FAIL_THRESHOLD, MAX_LOST_BYTES, MIN_CANDIDATES } from './config.ts'
import { detach, nodeOf, others, probe, promote, repoint, type Node } from './nodes.ts'
import { fence } from './power.ts'
import { chosenPrimary, choosePrimary, isForced, isLeader, publish, type Topology } from './shared.ts'
import { lastSeen } from './sightings.ts'

/** Why nothing is done about a primary that is down. */
export class Blocked extends Error {
  readonly reason: 'fence_failed' | 'too_few_candidates' | 'max_lost_bytes'

  constructor(reason: Blocked['reason'], cause?: Error) {
    super(cause ? `${reason}: ${cause.message}` : reason, { cause })
    this.reason = reason
  }
}

// #region failover
/**
 * Makes another node the primary. Each part may be repeated, by this leader or by the next one, and whoever repeats it
 * comes to the same end.
 */
export async function failover(topology: Topology): Promise<void> {
  const old = nodeOf(topology.primary.name)
  const chosen = await chosenPrimary(topology.epoch)
  // Fenced, the old primary is gone for good: not before it is known that another one can take over.
  if (!chosen) await candidateAmong(others(old.name), old, topology)
  stillLeader()
  const next = nodeOf(await decideOn(topology, old, chosen))
  stillLeader()
  await promote(next)
  await fence(old.name).catch((error: Error) => {
    throw new Blocked('fence_failed', error)
  })
  stillLeader()
  await publish({ epoch: topology.epoch + 1, primary: member(next), replicas: [] })
  // Whoever can't be re-pointed now is re-pointed by a later round.
  await Promise.allSettled(
    others(next.name)
      .filter((node) => node !== old && node.seen.role === 'replica')
      .map((node) => repoint(node, next)),
  )
}

/** The candidate that was chosen before, as long as it lives; else the one that has received most. */
async function decideOn(topology: Topology, old: Node, chosen: string | null): Promise<string> {
  const rest = others(old.name)
  // Should somebody power the old one on again at this moment, nobody confirms its writes any more.
  await Promise.allSettled(rest.filter(({ seen }) => seen.role === 'replica').map(detach))
  await Promise.all(rest.map(probe))
  if (chosen) {
    const { up, failures } = nodeOf(chosen).seen
    if (up) return chosen
    // One missed check says nothing about this one, either.
    if (failures < FAIL_THRESHOLD) throw new Error(`${chosen}, which was chosen, did not answer this time`)
  }
  const candidate = await candidateAmong(
    rest.filter(({ name }) => name !== chosen),
    old,
    topology,
  )
  // It may have been promoted before it was lost.
  if (chosen) await fence(chosen)
  return choosePrimary(topology.epoch, candidate, chosen ?? '')
}
// #endregion failover

async function candidateAmong(rest: readonly Node[], old: Node, { epoch }: Topology): Promise<string> {
  const force = await isForced(epoch)
  const limits = { minCandidates: MIN_CANDIDATES, maxLostBytes: MAX_LOST_BYTES, force }
  const last = await lastSeen(old)
  const choice: Choice = choose(rest.flatMap(position), last, limits)
  if ('blocked' in choice) throw new Blocked(choice.blocked)
  return choice.candidate
}

function position({ name, seen }: Node): Position[] {
  return seen.up && seen.role === 'replica' && seen.lsn !== null ? [{ name, lsn: parseLsn(seen.lsn) }] : []
}

function stillLeader(): void {
  if (!isLeader()) throw new Error('no longer the leader')
}

export const member = ({ name, clientUrl }: Node) => ({ name, url: clientUrl })
