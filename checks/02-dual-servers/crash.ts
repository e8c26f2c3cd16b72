import { eventually, say, when } from '#harness'
import type { Pair } from '../../labs/02-dual-servers/tests/pair.ts'
import { put } from '../../labs/02-dual-servers/tests/settings.ts'

/** Kills server-1 in the middle of a PUT, at the statement that writes this table, and starts it again, with these settings changed. */
export async function killedWaitingFor(
  table: string,
  { server1, db1 }: Pair,
  env: Record<string, number> = {},
): Promise<void> {
  const lock = await db1.holdLock(table)
  const answer = put(server1, 'color', `killed at ${table}`, 15_000)
  when(
    `server-1 gets PUT color; ${table} in pg-1 is locked, so it has to wait there`,
    `server-1がPUT colorを受けたが、pg-1の${table}がロックされていて、そこで待っている`,
  )
  await eventually(
    say(`a statement of server-1 waits for ${table}`, `server-1の文が${table}を待つ`),
    async () => (await db1.activity({ application: 'server-1', waiting: true })).length,
  )
  await server1.kill()
  await lock.release()
  await answer
  when(
    `server-1 was killed in the middle of PUT color, when it was to write ${table}, and started again`,
    `server-1がPUT colorの途中、${table}に書く直前に強制終了され、再起動した`,
  )
  // What Postgres still had to do for it is over: an open transaction is gone, a single statement has run.
  await eventually(
    say('the connections of the killed process are gone', '強制終了されたプロセスの接続が消える'),
    async () => (await db1.activity({ application: 'server-1' })).length,
    0,
  )
  await server1.start(env)
}
