import { expect, test, TestRunner, vi } from 'vitest'
import PromptRunner from './runner.ts'

/** As Vitest has made it ready, but for the line to the command. */
function runnerThatTells(told: unknown[]): TestRunner {
  const onTaskUpdate = async (packs: unknown, events: unknown) => void told.push({ packs, events })
  return Object.assign(Object.create(PromptRunner.prototype), { config: {}, workerState: {}, onTaskUpdate })
}

test('the verdict of a test is sent when it is known', () => {
  const told: unknown[] = []
  const done = { id: 'a', type: 'test', result: { state: 'pass' }, meta: { title: 'A' }, file: {} }
  runnerThatTells(told).onAfterRunTask(done as never)
  expect(told).toEqual([
    { packs: [['a', done.result, done.meta]], events: [['a', 'test-finished', undefined]] },
  ])
})

test('the end of a file goes with the verdicts of all its tests: some may not have been sent', async () => {
  vi.spyOn(TestRunner.prototype, 'onAfterRunSuite').mockResolvedValue()
  const told: { events?: unknown }[] = []
  const skipped = { id: 'a', type: 'test', result: { state: 'skip' }, meta: {} }
  const file = { id: 'f', type: 'suite', result: { state: 'fail' }, meta: {}, tasks: [skipped], file: {} }
  file.file = file
  await runnerThatTells(told).onAfterRunSuite(file as never)
  expect(told.map(({ events }) => events)).toEqual([
    [
      ['a', 'test-finished', undefined],
      ['f', 'suite-finished', undefined],
    ],
  ])
})
