import { expect, http, say, when, type Link } from '#harness'
import type { Pair } from '../../labs/02-dual-servers/tests/pair.ts'
import { changesIn, settingsIn } from '../../labs/02-dual-servers/tests/settings.ts'
import { syncs } from './between.ts'

/** What is no setting is answered with 400 and recorded nowhere. */
export async function expectBadSettingsRefused({ server1, db1 }: Pair): Promise<void> {
  const before = (await changesIn(db1)).length
  const bodies = [
    '{"setting":',
    {},
    { setting: 'x' },
    ...['', 'Dark', '9x', 'a-b', 'a'.repeat(65), 7].map((setting) => ({ setting, value: 1 })),
  ]
  for (const body of bodies) {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    when(
      `server-1 gets PUT /api/global-settings with ${text}`,
      `server-1がPUT /api/global-settingsで${text}を受けた`,
    )
    const headers = { 'content-type': 'application/json' }
    expect(await server1.put('/api/global-settings', body, { headers })).toAnswer(400, {
      error: 'invalid_setting',
    })
  }
  expect((await changesIn(db1)).length - before, say('new records in pg-1', 'pg-1の新しい記録')).toBe(0)
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

/** The calls that the servers themselves make, one of each kind. */
function seen(link: Link): { method: string; path: string }[] {
  const kinds = new Map(
    syncs(link).map(({ method, path }) => [`${method} ${path.split('?')[0]}`, { method, path }]),
  )
  // Where the path names the change, the latest will do.
  return [...kinds.values()].slice(-10)
}
