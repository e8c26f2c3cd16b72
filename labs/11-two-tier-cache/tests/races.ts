import { eventually, expect, say, type Answer, type Random } from '#harness'
import { insert, newKey, type Fleet, type Server } from './fleet.ts'
import { inMemory, seen } from './seeing.ts'

/** Longest wait for a message that some designs deliver later: it can only let a wrong one slip. */
export const MESSAGE_MS = 300

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

/**
 * A read of this key whose answer from Postgres is on its way until the link is released: its statement stands in
 * Postgres's log, and the connection that carried it is held. Other connections go on.
 */
export async function answerHeld(
  fleet: Fleet,
  server: Server,
  key: string,
): Promise<{ answer: Promise<Answer> }> {
  const since = await fleet.db.server.marker()
  const hold = server.toPg.holdOn(key)
  const answer = server.get(key)
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
  expect(hold.isHeld, say("Postgres's answer is held", 'Postgresの応答が途中で止まっている')).toBe(true)
  return { answer } // in an object, so that awaiting this does not await the answer
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
