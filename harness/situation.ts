import { say, type Text } from './text.ts'
import { note } from './timeline.ts'

let current: Text | undefined
let title: Text = say('', '')

/** Says what the test has done, in the words that a failure begins with. It stands in the timeline too. */
export function when(en: string, ja: string): void {
  current = say(en, ja)
  note({ from: 'test', to: 'test', kind: 'note', text: en, ja })
}

/** The last `when()`; before the first one, the test's title. */
export function situation(): Text {
  return current ?? title
}

/** A new test begins. */
export function newSituation(of: Text): void {
  title = of
  current = undefined
}
