import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Progress } from '../checks/grader/verdict.ts'
import { command, inTerminal, makeStage, type Running, type Stage } from './testing.ts'

let stage: Stage
let running: Running | undefined
beforeEach(() => {
  stage = makeStage()
})
afterEach(async () => {
  running?.child.kill('SIGKILL')
  await running?.exit
  running = undefined
  stage.remove()
})
const server = (): string => join(stage.workspace, '01-tiny/src/server.ts')
const progress = (): Progress =>
  JSON.parse(readFileSync(join(stage.workspace, 'progress.json'), 'utf8')) as Progress

test.each([
  ['by file events', {}],
  ['by looking', { WORKBOOK_NO_EVENTS: '1' }],
])('from red to green at a save, noticed %s', async (_, env) => {
  running = command(stage, ['lab'], env)
  await running.says('made workspace/01-tiny from the starter. Edit src/server.ts')
  await running.says(/✗ fail {2}60 of|✗ fail {2}0 of/)
  stage.save('solution')
  await running.says('saved src/server.ts')
  await running.says('✓ pass  100 of 100 points')
  await running.says('n begins lab 02')
  running.child.kill('SIGINT')
  expect(await running.exit).toBe(130)
  expect(progress().labs.tiny?.last.status).toBe('pass')
  expect(running.out()).not.toContain('\u001b')
})

test('what is in the workspace is never written over; the first lab that is not green comes next', async () => {
  running = command(stage, ['lab', '01'])
  await running.says('✗ fail')
  stage.save('solution')
  await running.says('✓ pass  100 of 100 points')
  running.child.kill('SIGTERM')
  expect(await running.exit).toBe(143)
  const mine = readFileSync(server(), 'utf8')
  running = command(stage, ['lab'])
  await running.says('02  Small')
  running.child.kill('SIGTERM')
  await running.exit
  expect(readFileSync(server(), 'utf8')).toBe(mine)
})

test('a save during a run cancels it and begins anew', async () => {
  running = command(stage, ['lab', '01'])
  await running.says('✗ fail')
  // Never healthy: without the next save this run would take its eight seconds.
  writeFileSync(server(), 'setInterval(() => {}, 1000)\n')
  await running.says('saved src/server.ts')
  const begun = performance.now()
  stage.save('solution')
  await running.says('✓ pass  100 of 100 points')
  expect(performance.now() - begun).toBeLessThan(7000)
})

test('reset keeps the old work aside and begins anew', async () => {
  const first = command(stage, ['lab', 'reset', '01'])
  expect(await first.exit).toBe(0)
  writeFileSync(server(), '// mine\n')
  const second = command(stage, ['lab', 'reset', '01'])
  expect(await second.exit).toBe(0)
  const [kept = ''] = readdirSync(join(stage.workspace, '.old'))
  expect(second.out()).toContain(`kept your work as workspace/.old/${kept}\n`)
  expect(readFileSync(join(stage.workspace, '.old', kept, 'src/server.ts'), 'utf8')).toBe('// mine\n')
  expect(readFileSync(server(), 'utf8')).toContain('nothing yet')
})

test('--surrender shows the way to the solution and is remembered', async () => {
  running = command(stage, ['lab', '01', '--surrender'])
  expect(await running.exit).toBe(0)
  expect(running.out()).toContain("says: 'nothing yet' }))\n+")
  expect(progress().labs.tiny?.surrendered).toMatch(/^\d{4}-/)
})

test.runIf(existsSync('/usr/bin/script'))('keys: hints, logs, timeline, giving up, quitting', async () => {
  running = inTerminal(stage, ['lab', '01', '--lang', 'en'])
  const press = (key: string): void => void running!.child.stdin!.write(key)
  await running.says('[h] next hint')
  press('h')
  await running.says(/hint 2\/3 +Write hello\./)
  // Full-width, as a Japanese input method sends it.
  press('l')
  await running.says('server | asked for /')
  press(' ')
  press('t')
  await running.says('GET / → 501')
  press(' ')
  press('s')
  await running.says('Give up and look at it now?')
  press('y')
  await running.says("says: 'hello' }")
  press(' ')
  stage.save('solution')
  await running.says('✓ pass')
  await running.says('[n] next lab')
  press('n')
  await running.says('02  Small')
  press('q')
  expect(await running.exit).toBe(0)
  expect(running.out()).toContain('go on later with: npm run lab 02')
  expect(progress().labs.tiny).toMatchObject({ hints: { hello: 2 } })
  expect(progress().labs.tiny?.surrendered).toBeDefined()
})

test.runIf(existsSync('/usr/bin/script'))(
  'with NO_COLOR a terminal gets lines, no colours, and the keys',
  async () => {
    running = inTerminal(stage, ['lab', '01', '--lang', 'ja'], { NO_COLOR: '1' })
    await running.says('[h] 次のヒント')
    running.child.stdin!.write('q')
    expect(await running.exit).toBe(0)
    expect(running.out()).not.toContain('\u001b[')
  },
)
