import { eventually, say } from '#harness'
import { setOnPrimary, type Shop } from './shop.ts'

/** A commit that waits for replicas needs one of the two, whichever. Taken back when the test, or the file, ends. */
export async function synchronous(shop: Shop): Promise<void> {
  await setOnPrimary(shop, 'synchronous_standby_names', 'ANY 1 ("replica-1", "replica-2")')
  await eventually(say('two synchronous replicas', '同期レプリカが2台'), () => quorum(shop), 2)
}

export async function quorum({ primary }: Shop): Promise<number> {
  const rows = await primary.sql("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'quorum'")
  return rows.length
}

/** Backends whose COMMIT waits for synchronous replicas. */
export async function waitingForReplicas({ primary, db }: Shop, application?: string): Promise<number> {
  const rows = await primary.sql(
    `SELECT 1 FROM pg_stat_activity WHERE datname = $1 AND wait_event = 'SyncRep' AND ($2::text IS NULL OR application_name = $2)`,
    [db.name, application ?? null],
  )
  return rows.length
}
