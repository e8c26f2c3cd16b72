import { burst, eventually, expect, say, type Answer, type StartedRole } from '#harness'
import { SHORT_MS } from '../../labs/02-dual-servers/tests/lent.ts'
import { as, type Pair } from '../../labs/02-dual-servers/tests/pair.ts'

/** `PEER_TIMEOUT_MS` where the peer is ill. */
export const TIMEOUT = SHORT_MS

/** What a server may say of a peer that it can't ask. */
export const UNAVAILABLE = [502, 503, 504]

/** `caller` reads the profile of `id` at a server. */
export function read(
  server: StartedRole,
  id: string,
  caller: string,
  headers: Record<string, string> = {},
  within = 5000,
): Promise<Answer> {
  return server.get(`/api/user/${id}/profile`, { ...as(caller, headers), within })
}

/** Has the server written a line with this text? */
export function inLog(server: StartedRole, text: string): boolean {
  return server.lines.some((line) => line.includes(text))
}

/** A cross read ends in time with an error, and 20 own profiles are read meanwhile. */
export async function expectUnavailable({ server1 }: Pair): Promise<void> {
  const across = read(server1, 'nancy789', 'alice123', {}, TIMEOUT + 1000)
  const own = await burst(20, () => server1.get('/api/profile', as('alice123'))).done
  const label = say('nancy789 read at server-1', 'server-1で読んだnancy789')
  expect(await across, label).toAnswer(UNAVAILABLE)
  const statuses = [...new Set(own.map(({ status }) => status))]
  const meanwhile = say(
    'statuses of 20 own profiles read meanwhile',
    'その間に読んだ自分のプロフィール20件のステータス',
  )
  expect(statuses, meanwhile).toEqual([200])
}

/** The peer is well again. */
export async function back({ server1 }: Pair): Promise<void> {
  await eventually(
    say('nancy789 can be read at server-1 again', 'server-1でnancy789がまた読める'),
    () => read(server1, 'nancy789', 'alice123'),
    ({ status }) => status === 200,
  )
}
