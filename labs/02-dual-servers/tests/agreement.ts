import { expect, fail, say, type Text } from '#harness'
import type { Pair } from './pair.ts'
import { changesIn, settingsIn, type Change } from './settings.ts'

/** Both databases hold the same values and have recorded the same changes. A failure shows only what differs. */
export async function expectAgreement({ db1, db2 }: Pair, hint?: 1 | 2 | 3): Promise<void> {
  const [settings1, settings2] = await Promise.all([settingsIn(db1), settingsIn(db2)])
  const keys = [...new Set([...Object.keys(settings1), ...Object.keys(settings2)])]
  const differing = keys.filter((key) => text(settings1[key]) !== text(settings2[key]))
  if (differing.length > 0) {
    fail(
      say('the same value of every setting in pg-1 and pg-2', 'どの設定の値もpg-1とpg-2で同じ'),
      list(differing, (key) => {
        const [one, two] = [text(settings1[key]), text(settings2[key])]
        return say(`${key} is ${one} in pg-1, ${two} in pg-2`, `${key}はpg-1で${one}、pg-2で${two}`)
      }),
      { hint },
    )
  }
  const [changes1, changes2] = await Promise.all([changesIn(db1), changesIn(db2)])
  const label = say(
    'changes that only one of pg-1 and pg-2 has recorded',
    'pg-1とpg-2の片方だけにある変更の記録',
  )
  const odd = { 'pg-1': missing(changes1, changes2), 'pg-2': missing(changes2, changes1) }
  expect(odd, label, { hint }).toEqual({ 'pg-1': [], 'pg-2': [] })
}

/** Changes as a learner reads them: `theme="dark"`. */
export function brief(changes: Change[]): string[] {
  return changes.map(({ key, value }) => `${key}=${JSON.stringify(value)}`)
}

/** Changes that are in the first list, more often than in the second. */
function missing(here: Change[], there: Change[]): string[] {
  const rest = named(there)
  return named(here).filter((change) => {
    const at = rest.indexOf(change)
    if (at >= 0) rest.splice(at, 1)
    return at < 0
  })
}

const named = (changes: Change[]) => brief(changes).map((change, i) => `${changes[i]!.origin}: ${change}`)

const text = (value: unknown) => (value === undefined ? 'none' : JSON.stringify(value))

/** The first few of them. */
function list(items: string[], describe: (item: string) => Text): Text {
  const shown = items.slice(0, 5).map(describe)
  return say(
    `${shown.map(({ en }) => en).join('; ')}${items.length > 5 ? ` (and ${items.length - 5} more)` : ''}`,
    `${shown.map(({ ja }) => ja).join('、')}${items.length > 5 ? `（ほか${items.length - 5}件）` : ''}`,
  )
}
