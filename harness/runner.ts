import { TestRunner } from 'vitest'

type Task = Parameters<TestRunner['onAfterRunTask']>[0]
type Suite = Parameters<TestRunner['onAfterRunSuite']>[0]
/** Of {@link TestRunner}, where Vitest has put what sends it. */
interface Sending {
  onTaskUpdate(
    packs: [id: string, result: unknown, meta: unknown][],
    events: [id: string, event: 'test-finished' | 'suite-finished', data: undefined][],
  ): Promise<void>
}

/**
 * Vitest's own runner, which tells what it has seen every 100 ms. A learner waits for each of these verdicts: they are
 * sent at once, and Vitest sends them a second time.
 */
export default class PromptRunner extends TestRunner {
  override onAfterRunTask(test: Task): void {
    super.onAfterRunTask(test)
    send(this, [test])
  }

  /** A test that was skipped has not been sent yet, and belongs to the verdict. */
  override async onAfterRunSuite(suite: Suite): Promise<void> {
    await super.onAfterRunSuite(suite)
    if (suite === suite.file) send(this, [...suite.tasks.filter(({ result }) => result), suite])
  }
}

function send(runner: TestRunner, tasks: (Task | Suite)[]): void {
  void (runner as unknown as Sending).onTaskUpdate(
    tasks.map(({ id, result, meta }) => [id, result, meta]),
    tasks.map(({ id, type }) => [id, type === 'test' ? 'test-finished' : 'suite-finished', undefined]),
  )
}
