import type { Socket } from 'node:net'
import pg from 'pg'

export type Row = Record<string, unknown>

/** How to reach a Postgres as a client. */
export interface Address {
  host: string
  port: number
}

/**
 * One statement or several (without parameters) on a connection of its own, which nobody's transaction or time-out can
 * hold up. Rows of the last statement.
 * @param user default `postgres`, the superuser: the DBA's eyes
 */
export async function sqlOnce(
  { host, port }: Address,
  database: string,
  text: string,
  params?: unknown[],
  { user = 'postgres', ms = 10_000 } = {},
): Promise<Row[]> {
  const client = new pg.Client({
    host,
    port,
    database,
    user,
    application_name: 'harness',
    connectionTimeoutMillis: ms,
    query_timeout: ms,
  })
  client.on('error', () => {}) // the query that is under way reports it
  await client.connect()
  try {
    const result: pg.QueryResult | pg.QueryResult[] = await client.query(text, params)
    return (Array.isArray(result) ? result.at(-1)?.rows : result.rows) ?? []
  } finally {
    await endClient(client)
  }
}

/** Longest wait for the other side to say goodbye too. */
const GOODBYE_MS = 500

/** Ends a client, also one whose server is dead, frozen or behind a black hole by the test's own hand. */
export async function endClient(client: pg.Client): Promise<void> {
  const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
  const giveUp = setTimeout(() => stream.destroy(), GOODBYE_MS)
  await client.end().catch(() => {}) // broken already
  clearTimeout(giveUp)
}

/** A log sequence number as a number that can be compared: `1/B88` is less than `1/1098`. */
export function lsn(text: unknown): bigint {
  const [high = '0', low = '0'] = String(text).split('/')
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`)
}

/** `"` doubled, as an identifier in a statement. */
export function quoted(identifier: string): string {
  return `"${identifier.replaceAll('"', '""')}"`
}
