import { eventually, expect, http, say, when, type Link } from '#harness'
import type { Pair } from '../../labs/02-dual-servers/tests/pair.ts'
import { changesIn, put, settingsIn } from '../../labs/02-dual-servers/tests/settings.ts'
import { syncs } from './between.ts'

/** Kills server-1 in the middle of a PUT, at the statement that writes this table, and starts it again. */
export async function killedWaitingFor(table: string, { server1, db1 }: Pair): Promise<void> {
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
  await server1.start()
}

/** Whoever has no token, or a wrong one, is refused under `/api/sync/` and changes nothing. */
export async function expectStrangersRefused(pair: Pair): Promise<void> {
  const { server1, server2, db1, db2, to1, to2 } = pair
  const before = await Promise.all(
    [db1, db2].map(async (db) => [await settingsIn(db), (await changesIn(db)).length]),
  )
  const wrong = {
    authorization: 'Bearer wrong',
    'x-peer-token': 'wrong',
    'x-sync-token': 'wrong',
    'x-server-name': 'server-1',
  }
  const body = { setting: 'maintenance_mode', value: 'stolen' }
  for (const [server, link] of [
    [server1, to1],
    [server2, to2],
  ] as const) {
    for (const [name, ja, headers] of [
      ['no token', 'トークンなし', {}],
      ['a wrong token', '誤ったトークン', wrong],
    ] as const) {
      for (const { method, path } of [{ method: 'POST', path: '/api/sync/global-settings' }, ...seen(link)]) {
        when(
          `${method} ${path} at ${server.name} with ${name}`,
          `${server.name}に${ja}で${method} ${path}を送った`,
        )
        expect(
          await http(server.url + path, {
            method,
            headers,
            body: method === 'GET' ? undefined : body,
            to: server.name,
          }),
        ).toAnswer([401, 403, 404])
      }
    }
  }
  const after = await Promise.all(
    [db1, db2].map(async (db) => [await settingsIn(db), (await changesIn(db)).length]),
  )
  expect(
    after,
    say('settings and records of both servers afterwards', 'その後の両サーバーの設定と記録'),
  ).toEqual(before)
}

/** The calls that the servers themselves make. */
function seen(link: Link): { method: string; path: string }[] {
  const last = syncs(link).at(-1)
  return last ? [{ method: last.method, path: last.path }] : []
}
