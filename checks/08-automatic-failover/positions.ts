import { lsn, type StartedPostgres } from '#harness'

const FOUR_GIB = 1n << 32n

async function position(primary: StartedPostgres): Promise<bigint> {
  const [row] = await primary.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn')
  return lsn(row?.lsn)
}

/** Lets the WAL pass 4 GiB, where the text of a position begins anew. */
export async function pass4GiB(primary: StartedPostgres): Promise<void> {
  // An empty segment would not end.
  const next = "SELECT pg_logical_emit_message(true, 'test', ''); SELECT pg_switch_wal()"
  while ((await position(primary)) < FOUR_GIB) await primary.sql(next)
}

/** Fills the WAL up to about this place behind 4 GiB. */
export async function padTo(primary: StartedPostgres, place: bigint): Promise<void> {
  const missing = FOUR_GIB + place - (await position(primary))
  if (missing > 0n)
    await primary.sql("SELECT pg_logical_emit_message(true, 'test', repeat('x', $1))", [Number(missing)])
}
