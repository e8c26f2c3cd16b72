import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { ROOT } from '#harness/paths'

const BREAK = `setImmediate(() => Promise.reject(new Error('the server is gone')))`

/** A command of two parts of source: what it does, and what it does before it ends. */
function command({ does = '', ending = '' }) {
  const source = `
    import { beforeEnd, guard } from './cli/life.ts'
    guard((error) => (console.error('reported: ' + error.message), 1))
    beforeEnd(async () => { ${ending} })
    setInterval(() => {}, 1000)
    console.log('ready')
    ${does}`
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], { cwd: ROOT })
  return { child, said: text(child.stderr) }
}

test('what breaks a command is reported, and gives its status', async () => {
  const { child, said } = command({ does: BREAK })
  expect(await once(child, 'exit')).toEqual([1, null])
  expect(await said).toBe('reported: the server is gone\n')
})

test('what breaks because the command is ending is not reported', async () => {
  const { child, said } = command({
    ending: `${BREAK}; await new Promise((resolve) => process.once('unhandledRejection', resolve))`,
  })
  await once(child.stdout, 'data')
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([143, null])
  expect(await said).toBe('')
})
