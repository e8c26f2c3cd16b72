import { expect, test } from 'vitest'
import { findLab } from '../checks/grader/labs.ts'
import { StepFailure } from '../harness/failure.ts'
import { same, say } from '../harness/text.ts'
import { notMeasured } from './bench.ts'
import { explain } from './errors.ts'

const failure = new StepFailure({
  outcome: 'fail',
  when: say('the controllers are started', 'コントローラーを起動する'),
  expected: same('pg:topology'),
  observed: say('timed out', 'タイムアウト'),
})

test('a service that can’t be measured is no fault of the workbook: what was missed, and what to do', async () => {
  const lab = (await findLab('08'))!
  const own = explain(notMeasured(failure, lab, 'workspace'), 'bench')
  expect(own.what.en).toBe('The service does not do what this bench needs.')
  expect(own.why).toEqual({
    en: 'the controllers are started\npg:topology\ntimed out',
    ja: 'コントローラーを起動する\npg:topology\nタイムアウト',
  })
  expect(own.remedy.en).toContain('npm run check 08')
  expect(own.remedy.ja).toContain('npm run bench 08 -- --subject solution')
  expect(explain(notMeasured(failure, lab, 'solution'), 'bench').remedy.en).not.toContain('npm run check')
})
