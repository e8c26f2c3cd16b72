import { defineLab, type StepSpec } from '#harness/lab'
import { same, say } from '#harness/text'

const hint = say('What does the test see?', 'テストには何が見えますか。')

const step = (id: string, limit = 15_000): StepSpec => ({
  id,
  title: same(id),
  points: 1,
  hints: [hint, hint, hint],
  limit,
})

/** Tests that go wrong by themselves: what the grader says of its own side. */
export default defineLab({
  title: say('Odd tests', '変わったテスト'),
  summary: say('Tests that go wrong in every way.', 'さまざまな形で失敗するテストです。'),
  roles: ['server', 'mayfly'],
  topology: {},
  budget: 2000,
  steps: [
    step('empty'),
    step('stuck', 1500),
    step('patient', 1500),
    step('broken'),
    step('unprepared'),
    step('unavailable'),
    step('unloadable'),
    step('dies'),
    step('late', 1500),
    step('untested'),
    step('fine'),
  ],
})
