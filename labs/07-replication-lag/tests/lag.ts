import { eventually, expect, say, type StartedPostgres, type StartedRole } from '#harness'
import { behind, lagOf, report, type Shop } from './shop.ts'

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

/** Returns the seconds that were seen. */
export function untilBehind(server: StartedRole, replica: StartedPostgres, seconds: number): Promise<number> {
  return eventually(
    say(
      `lagSeconds of ${replica.name} above ${seconds.toFixed(2)}`,
      `${replica.name}のlagSecondsが${seconds.toFixed(2)}を超える`,
    ),
    () => lagSeconds(server, replica),
    (behindBy) => behindBy > seconds,
  )
}

/** So many background samples are taken from here on: whatever this server knows by then is of after this call. */
export async function samplesLater(server: StartedRole, count: number): Promise<void> {
  const { samples } = await report(server)
  await eventually(
    say(`${count} more samples`, `サンプルがあと${count}回`),
    async () => (await report(server)).samples,
    (now) => now >= samples + count,
    { within: 20_000 },
  )
}

/**
 * Nobody has committed for so long, by the replica's clock. A service that writes a heartbeat is never quiet: then its own
 * commit is the last one, which is as good.
 */
export async function untilQuiet(replica: StartedPostgres, seconds: number): Promise<void> {
  const enough = performance.now() + seconds * 3000
  await eventually(
    say(`nobody has written for ${seconds} s`, `${seconds}秒間、誰も書き込んでいない`),
    async () => {
      const [row] = await replica.sql(
        'SELECT extract(epoch FROM now() - pg_last_xact_replay_timestamp())::float AS s',
      )
      return Number(row?.s) > seconds || performance.now() > enough
    },
  )
}
