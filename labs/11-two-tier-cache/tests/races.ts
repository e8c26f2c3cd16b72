import { eventually, say, type Random } from '#harness'
import { insert, newKey, type Fleet, type Server } from './fleet.ts'
import { inMemory, seen } from './seeing.ts'

/** Longest wait for a message that some designs deliver later: it can only let a wrong one slip. */
const MESSAGE_MS = 300

/**
 * Every server has a connection to Postgres open and an entry in memory. s0 reads first, so that it is s0 that has
 * asked Postgres.
 */
export async function warmUp(fleet: Fleet, random: Random): Promise<string> {
  const control = newKey(random)
  await insert(fleet, control, 0)
  await inMemory(fleet, fleet.servers, control)
  return control
}

/** Runs `begin`, and resolves when the statement of this server that names the key stands in Postgres's log. */
export async function onceAsked<T>(
  fleet: Fleet,
  server: Server,
  key: string,
  begin: () => Promise<T>,
): Promise<Promise<T>[]> {
  const since = await fleet.db.server.marker()
  const begun = begin()
  await eventually(
    say(
      `the statement of ${server.name} for ${key} in Postgres's log`,
      `${key}を読む${server.name}の文がPostgresのログにある`,
    ),
    async () => {
      const sent = await fleet.db.server.statements(
        { application: server.name, database: fleet.db.name },
        since,
      )
      return sent.some(({ text, parameters }) => `${text} ${parameters}`.includes(key))
    },
  )
  return [begun] // in a list, so that awaiting this does not await the answer
}

let rounds = 0

/**
 * Waits until an invalidation that was sent now has reached a server: what was sent before has, too. Where it comes by
 * a path that the test holds, it can't, and the wait ends by itself.
 */
export async function messagesReached(at: Server, from: Server, via: Server, control: string): Promise<void> {
  const value = ++rounds
  await from.put(control, value)
  // Whoever only marks the old value as gone has the new one fetched by a server whose links are open.
  await via.get(control)
  const end = performance.now() + MESSAGE_MS
  while (performance.now() < end && seen(await at.get(control)) !== value);
}
