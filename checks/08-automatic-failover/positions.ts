import { lsn, type StartedPostgres } from '#harness'

const FOUR_GIB = 1n << 32n

/** A record and what a checkpoint may write beside it are shorter. */
const NEAR = 0x6000n

async function position(primary: StartedPostgres): Promise<bigint> {
  const [row] = await primary.sql('SELECT pg_current_wal_insert_lsn()::text AS lsn')
  return lsn(row?.lsn)
}

/**
 * The next place at which the text of a position gets longer, and begins with a 1 again: `1/FA10` is before `1/10A10`.
 * Below 4 GiB it is the first one behind them; the WAL is led there.
 */
export async function nextLength(primary: StartedPostgres): Promise<bigint> {
  // An empty segment would not end.
  const next = "SELECT pg_logical_emit_message(true, 'test', ''); SELECT pg_switch_wal()"
  while ((await position(primary)) < FOUR_GIB) await primary.sql(next)
  const now = await position(primary)
  let length = 0x10000n
  while ((now % FOUR_GIB) + NEAR >= length) length *= 16n
  return now - (now % FOUR_GIB) + length
}

/** Fills the WAL up to a little before, or behind, this place. */
export async function padTo(
  primary: StartedPostgres,
  place: bigint,
  where: 'before' | 'behind',
): Promise<void> {
  const missing = place + (where === 'before' ? -NEAR : 0x1000n) - (await position(primary))
  if (missing > 0n)
    await primary.sql("SELECT pg_logical_emit_message(true, 'test', repeat('x', $1))", [Number(missing)])
}
