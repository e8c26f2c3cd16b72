import { eventually, say, type Answer, type StartedRole } from '#harness'

/** `GET /health` of a server. */
export function health(server: StartedRole, within = 3000): Promise<Answer> {
  return server.get('/health', { within })
}

/** Waits until a server's `/health` says that the peer is in one of these states. */
export async function sees(server: StartedRole, ...states: string[]): Promise<void> {
  await eventually(
    say(
      `peer ${states.join(' or ')} in /health of ${server.name}`,
      `${server.name}の/healthのpeerが${states.join('か')}になる`,
    ),
    async () => (await health(server)).body?.peer,
    (seen) => states.includes(seen),
  )
}
