import { defineLab, type StepSpec } from '#harness/lab'
import { same, say } from '#harness/text'

const hint = say('What does the test see?', 'テストには何が見えますか。')

const step = (id: string): StepSpec => ({
  id,
  title: same(id),
  points: 1,
  hints: [hint, hint, hint],
})

/** Steps that wait for each other: what only two lanes can do. */
export default defineLab({
  title: say('Two lanes', '2本のレーン'),
  summary: say('Steps that pass only side by side.', '並んで実行されたときだけ合格するステップです。'),
  roles: ['server'],
  topology: { pg: { kind: 'postgres' } },
  budget: 2000,
  steps: [step('left'), step('right'), step('fails'), step('after')],
})
