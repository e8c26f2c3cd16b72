import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '#harness/paths'

/** One thing that `npm test` proves, and the command that proves it. */
interface Suite {
  name: string
  command: string[]
  env?: Record<string, string>
}

const bin = (path: string): string => join(ROOT, 'node_modules', path)
const vitest = (project: string): string[] => [
  bin('vitest/vitest.mjs'),
  'run',
  '--project',
  project,
  '--reporter',
  'dot',
]
const self = join(ROOT, 'cli/main.ts')

const SUITES: Suite[] = [
  { name: 'format', command: [bin('oxfmt/bin/oxfmt'), '--check', '.'] },
  { name: 'lint', command: [bin('oxlint/bin/oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'types', command: [bin('typescript/bin/tsc'), '-p', '.'] },
  { name: 'types of the site', command: [bin('typescript/bin/tsc'), '-p', 'site'] },
  { name: 'unit', command: vitest('unit') },
  { name: 'harness', command: vitest('harness'), env: { LAB_RUNTIME: 'native' } },
  {
    name: 'author',
    command: [self, 'author', '--fast', '--runtime', 'native'],
    env: { WORKBOOK_SLACK: '6' },
  },
  { name: 'browser', command: vitest('browser') },
]

/**
 * `npm test`: lint, types, unit tests, the harness on native servers, every starter and solution, the site in a browser.
 * `npm test -- unit` runs only what is named. The last line counts: `8 passed, 0 failed`.
 */
export async function test(args: string[]): Promise<number> {
  const chosen = SUITES.filter(({ name }) => args.length === 0 || args.includes(name))
  const failed: string[] = []
  for (const suite of chosen) {
    const begun = performance.now()
    console.log(`── ${suite.name}`)
    const status = await run(suite)
    console.log(
      `── ${suite.name}: ${status === 0 ? 'ok' : `failed (${status})`} in ${((performance.now() - begun) / 1000).toFixed(1)} s\n`,
    )
    if (status !== 0) failed.push(suite.name)
  }
  if (failed.length > 0) console.log(`failed: ${failed.join(' ')}`)
  console.log(`${chosen.length - failed.length} passed, ${failed.length} failed`)
  return failed.length > 0 ? 1 : 0
}

function run({ command, env }: Suite): Promise<number> {
  const [script, ...rest] = command
  if (!existsSync(script!)) throw new Error(`${script} is missing: run npm ci`)
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script!, ...rest], {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, ...env },
    })
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? (signal ? 128 : 1)))
  })
}
