import { Client } from 'pg'
import { CHECK_TIMEOUT_MS, NODES, type NodeConfig } from './config.ts'

/** What the last check saw of a node. */
export interface Seen {
  up: boolean
  /** In a row. */
  failures: number
  role: 'primary' | 'replica' | 'unknown'
  lsn: string | null
  timeline: number | null
}

export interface Node extends NodeConfig {
  seen: Seen
}

export const nodes: Node[] = NODES.map((config) => ({
  ...config,
  seen: { up: false, failures: 0, role: 'unknown', lsn: null, timeline: null },
}))

// #region probe
/** One check. */
export async function probe(node: Node): Promise<void> {
  // TODO(detect): a frozen server takes the connection and then says nothing; that is a failed check, too.
  const client = new Client({ connectionString: node.url, connectionTimeoutMillis: CHECK_TIMEOUT_MS })
  client.on('error', () => {}) // the query that is under way reports it
  try {
    await client.connect()
    const { rows } = await client.query('SELECT pg_is_in_recovery() AS standby')
    node.seen = { ...node.seen, up: true, failures: 0, role: rows[0].standby ? 'replica' : 'primary' }
  } catch {
    node.seen = { ...node.seen, up: false, failures: node.seen.failures + 1, role: 'unknown' }
  } finally {
    await client.end().catch(() => {}) // broken already
  }
}
// #endregion probe
