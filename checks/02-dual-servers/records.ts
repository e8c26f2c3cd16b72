import { expect, say } from '#harness'
import type { Pair } from '../../labs/02-dual-servers/tests/pair.ts'
import { changesIn, valueIn } from '../../labs/02-dual-servers/tests/settings.ts'

/**
 * server-1's changes of these settings are recorded once on both servers, in one order for each setting, and the last
 * record of each is its value.
 */
export async function expectSameRecords({ db1, db2 }: Pair, keys: string[], count: number): Promise<void> {
  const dbs = [db1, db2]
  const records = await Promise.all(dbs.map((db) => changesIn(db, 'server-1')))
  const ours = records.map((changes) => changes.filter(({ key }) => keys.includes(key)))
  expect(
    ours.map(({ length }) => length),
    say('changes recorded in pg-1 and pg-2', 'pg-1とpg-2に記録された変更の件数'),
  ).toEqual([count, count])
  for (const key of keys) {
    const [one, two] = ours.map((changes) => changes.filter((c) => c.key === key).map(({ value }) => value))
    expect(
      two,
      say(
        `${key} in setting_changes of pg-2, in the order of pg-1`,
        `pg-2のsetting_changesにある${key}（pg-1と同じ順）`,
      ),
    ).toEqual(one)
    for (const db of dbs) {
      const label = say(
        `${key} in ${db.server.name}, the value of its last record`,
        `${db.server.name}の${key}（最後の記録の値）`,
      )
      expect(await valueIn(db, key), label).toEqual(one!.at(-1))
    }
  }
}
