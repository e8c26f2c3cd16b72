import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import type { Holder } from './run-lock.ts'

// The lock's name follows from the workspace: this one meets nobody's.
const workspace = mkdtempSync(join(tmpdir(), 'run-lock-'))
vi.stubEnv('WORKBOOK_WORKSPACE', workspace)
const { withRun } = await import('./run-lock.ts')
afterAll(() => rmSync(workspace, { recursive: true, force: true }))

const code = `
  const { withRun } = await import(${JSON.stringify(join(import.meta.dirname, 'run-lock.ts'))})
  await withRun({ command: 'npm run check 06' }, async () => {
    console.log('holds')
    await new Promise((resolve) => process.stdin.once('data', resolve))
  })
  process.exit()`

async function other(): Promise<ReturnType<typeof spawn>> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd: import.meta.dirname,
    env: { ...process.env, WORKBOOK_WORKSPACE: workspace },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(child.stdout!, 'data')
  return child
}

test('a second command is told who is running and since when, and goes on when that has ended', async () => {
  const child = await other()
  const waited: Holder[] = []
  const run = withRun(
    { command: 'npm run lab 02', onWait: (holder) => waited.push(holder) },
    async () => 'ran',
  )
  await vi.waitFor(() => expect(waited).toHaveLength(1))
  expect(waited[0]).toMatchObject({ pid: child.pid, command: 'npm run check 06' })
  expect(Date.now() - Date.parse(waited[0]!.since)).toBeLessThan(60_000)
  child.stdin!.write('go on')
  expect(await run).toBe('ran')
})

test('the lock of a command that was killed is taken over', async () => {
  const child = await other()
  child.kill('SIGKILL')
  await once(child, 'exit')
  const waited: Holder[] = []
  expect(await withRun({ command: 'x', onWait: (holder) => waited.push(holder) }, async () => 'ran')).toBe(
    'ran',
  )
  expect(waited).toEqual([])
})

test('a wait can be given up, and leaves the lock to its holder', async () => {
  const child = await other()
  const controller = new AbortController()
  const onWait = (): void => controller.abort()
  await expect(
    withRun({ command: 'x', onWait, signal: controller.signal }, async () => 'ran'),
  ).rejects.toThrow(/abort/i)
  child.stdin!.write('go on')
  await once(child, 'exit')
  expect(await withRun({ command: 'x' }, async () => 'ran')).toBe('ran')
})

test('many at once run one after the other, and a run that fails gives the lock back', async () => {
  let inside = 0
  let most = 0
  const runs = Array.from({ length: 8 }, (_, i) =>
    withRun({ command: 'x' }, async () => {
      most = Math.max(most, ++inside)
      await new Promise((resolve) => setImmediate(resolve))
      inside--
      if (i === 3) throw new Error('it failed')
    }),
  )
  const results = await Promise.allSettled(runs)
  expect(most).toBe(1)
  expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(1)
})
