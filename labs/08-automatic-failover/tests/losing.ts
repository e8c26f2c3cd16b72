import { eventually, lsn, say, type StartedPostgres } from '#harness'
import type { Cluster } from './cluster.ts'
import { leaderOf, LOOK_MS, statusOf, viewOf } from './looks.ts'
import { insert } from './rows.ts'

/** Detection, and looks at the replicas. */
const BLOCKED_MS = 10_000

/** Writes so many bytes and a row 'after', and waits until every controller has seen the position behind them. */
export async function writeAndShow(cluster: Cluster, primary: StartedPostgres, bytes: number): Promise<void> {
  await primary.sql("SELECT pg_logical_emit_message(true, 'test', repeat('x', $1))", [bytes])
  await insert(primary, 'after')
  const position = lsn(await primary.position())
  for (const controller of cluster.controllers) {
    await eventually(
      say(
        `${controller.name} shows a position of ${primary.name} behind them`,
        `${controller.name}が、その先にある${primary.name}の位置を示す`,
      ),
      async () => (await viewOf(controller, primary)).lsn,
      (shown) => shown !== null && lsn(shown) >= position,
    )
  }
}

/** Waits until the leader says that it does nothing, and why. */
export async function blockedFor(cluster: Cluster, reason: string, hint?: 1 | 2 | 3): Promise<void> {
  await eventually(
    say(`the leader is blocked: ${reason}`, `リーダーがblocked（${reason}）になる`),
    async () =>
      (await Promise.all(cluster.controllers.map(statusOf))).map((s) => ({
        leader: s.leader,
        state: s.state,
        reason: s.reason,
      })),
    (all) => all.some((s) => s.leader && s.state === 'blocked' && s.reason === reason),
    { hint, within: BLOCKED_MS, every: LOOK_MS },
  )
}

/** `POST /failover {"force":true}` to the leader, whoever that is by then. */
export async function force(cluster: Cluster, hint?: 1 | 2 | 3): Promise<void> {
  await eventually(
    say(
      '202 of the leader to POST /failover {"force":true}',
      'POST /failover {"force":true}にリーダーが202を返す',
    ),
    async () => (await (await leaderOf(cluster)).post('/failover', { force: true })).status,
    202,
    { hint, within: BLOCKED_MS },
  )
}
