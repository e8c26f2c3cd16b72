import { eventually, expect, say, type StartedPostgres, type StartedRole } from '#harness'
import { behind, lagOf, type Shop } from './shop.ts'

/** What the service says of a replica lies between what SQL says just before and just after. */
export async function expectBytes(
  shop: Shop,
  server: StartedRole,
  replica: StartedPostgres,
  hint?: 1 | 2 | 3,
): Promise<void> {
  const look = async () => {
    const atLeast = await behind(shop, replica)
    const { replayLagBytes } = await lagOf(server, replica)
    return { replayLagBytes, atLeast, atMost: await behind(shop, replica) }
  }
  await eventually(
    say(
      `replayLagBytes of ${replica.name} between atLeast and atMost, which SQL says before and after`,
      `${replica.name}のreplayLagBytesが、前後にSQLで測ったatLeastとatMostの間にある`,
    ),
    look,
    ({ replayLagBytes: said, atLeast, atMost }) =>
      typeof said === 'number' && atLeast <= said && said <= atMost,
    { within: 3000, hint },
  )
}

/** `eventually`: something that happens on its own may have written a record just now. */
export async function expectNoLag(
  server: StartedRole,
  replica: StartedPostgres,
  field: 'receiveLagBytes' | 'replayLagBytes' = 'replayLagBytes',
): Promise<void> {
  await eventually(
    say(`${field} of ${replica.name} is 0`, `${replica.name}の${field}が0`),
    async () => (await lagOf(server, replica))[field],
    0,
    { within: 3000 },
  )
}

export async function lagSeconds(server: StartedRole, replica: StartedPostgres): Promise<number> {
  const { lagSeconds: seconds } = await lagOf(server, replica)
  expect(typeof seconds, say(`lagSeconds of ${replica.name}`, `${replica.name}のlagSeconds`)).toBe('number')
  return seconds as number
}

/** The replica has everything, so its lag is (nearly) 0 s. */
export async function expectNoSeconds(server: StartedRole, replica: StartedPostgres): Promise<void> {
  await eventually(
    say(`lagSeconds of ${replica.name} below 0.1`, `${replica.name}のlagSecondsが0.1未満`),
    () => lagSeconds(server, replica),
    (seconds) => seconds >= 0 && seconds < 0.1,
    { within: 3000 },
  )
}
