import { eventually, say, type StartedPostgres } from '#harness'
import type { Cluster } from './cluster.ts'
import { LOOK_MS } from './looks.ts'

/** A setting of one server. */
export async function set(node: StartedPostgres, name: string, value: string): Promise<void> {
  await node.sql(`ALTER SYSTEM SET ${name} = '${value.replaceAll("'", "''")}'`)
  await node.sql('SELECT pg_reload_conf()')
}

/** Who streams from a node, by their own names. */
export async function followers(node: StartedPostgres): Promise<string[]> {
  const rows = await node.sql(
    "SELECT application_name FROM pg_stat_replication WHERE state = 'streaming' ORDER BY 1",
  )
  return rows.map((row) => String(row.application_name))
}

/** Waits until a replica follows this primary. */
export async function streams(node: StartedPostgres, from: StartedPostgres): Promise<void> {
  await eventually(
    say(`${node.name} streams from ${from.name}`, `${node.name}が${from.name}からストリームを受ける`),
    () => followers(from),
    (names) => names.includes(node.name),
    { every: LOOK_MS, within: 10_000 },
  )
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
    { every: LOOK_MS },
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
    { every: LOOK_MS },
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
