import { eventually, expect, say, type Answer, type Database, type StartedRole } from '#harness'
import type { Pair } from './pair.ts'

/** A recorded change: a row of `setting_changes`. */
export interface Change {
  key: string
  value: unknown
  origin: string
}

/** Sends `PUT /api/global-settings`. */
export function put(server: StartedRole, setting: string, value: unknown, within = 5000): Promise<Answer> {
  return server.put('/api/global-settings', { setting, value }, { within })
}

/** Changes a setting at a server, which must answer 200. */
export async function change(
  server: StartedRole,
  setting: string,
  value: unknown,
  within?: number,
): Promise<void> {
  expect(await put(server, setting, value, within)).toAnswer(200, { success: true, server: server.name })
}

/** A setting's value in a database; undefined where there is none. */
export async function valueIn(db: Database, setting: string): Promise<unknown> {
  const [row] = await db.sql('SELECT value FROM global_settings WHERE key = $1', [setting])
  return row?.value
}

/** All settings of a database, by key. */
export async function settingsIn(db: Database): Promise<Record<string, unknown>> {
  const rows = await db.sql('SELECT key, value FROM global_settings ORDER BY key')
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]))
}

/** Recorded changes in the order of recording: all, or those that were made on one server. */
export async function changesIn(db: Database, origin?: string): Promise<Change[]> {
  const rows = await db.sql(
    'SELECT key, value, origin FROM setting_changes WHERE $1::text IS NULL OR origin = $1 ORDER BY id',
    [origin ?? null],
  )
  return rows as unknown as Change[]
}

/** Waits until a setting has this value in a database. */
export async function arrives(
  db: Database,
  setting: string,
  value: unknown,
  hint?: 1 | 2 | 3,
): Promise<void> {
  const { name } = db.server
  const text = JSON.stringify(value)
  const label = say(`${setting} is ${text} in ${name}`, `${name}の${setting}が${text}になる`)
  await eventually<unknown>(label, () => valueIn(db, setting), value, { hint })
}

/** Changes of this server that the peer has not confirmed, as it says itself. */
export async function pendingOf(server: StartedRole): Promise<unknown> {
  const { body } = await server.get('/api/metrics')
  return body?.totals?.pendingSyncs
}

/** Waits until everything is delivered: asked before any "never" or "the same". */
export async function drained({ server1, server2 }: Pair): Promise<void> {
  await eventually(
    say(
      'server-1 and server-2 say totals.pendingSyncs 0 in /api/metrics',
      'server-1とserver-2の/api/metricsでtotals.pendingSyncsが0になる',
    ),
    () => Promise.all([pendingOf(server1), pendingOf(server2)]),
    [0, 0],
    { within: 15_000, hint: 2 },
  )
}

/**
 * Everything is delivered, and one last change in each direction has arrived: changes travel in order, so nothing older
 * is still under way.
 */
export async function settled(pair: Pair): Promise<void> {
  await drained(pair)
  await change(pair.server1, 'last_of_1', 'over')
  await change(pair.server2, 'last_of_2', 'over')
  await drained(pair)
}
