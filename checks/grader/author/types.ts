import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT, RUNTIME_DIR } from '#harness/paths'
import type { Lab } from '../labs.ts'
import { overlaySubject } from '../subject.ts'
import { programs } from './layout.ts'

const run = promisify(execFile)

/** Type-checks every program of these labs, mutants and variants laid over their solutions, in one pass of the compiler. */
export async function checkTypes(labs: Lab[]): Promise<string[]> {
  const folders: string[] = []
  for (const lab of labs) {
    folders.push(lab.starter, lab.solution)
    for (const kind of ['mutants', 'variants'] as const) {
      for (const name of programs(lab, kind)) {
        folders.push(
          (await overlaySubject(lab, join(lab.checks, kind, name), `${kind.slice(0, -1)} ${name}`)).dir,
        )
      }
    }
  }
  const config = join(RUNTIME_DIR, 'staged', 'tsconfig.json')
  await mkdir(join(RUNTIME_DIR, 'staged'), { recursive: true })
  // The compiler skips a folder whose name begins with a dot unless it is named.
  const include = folders.map((folder) => `${folder}/src/**/*.ts`)
  await writeFile(config, JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), include, exclude: [] }))
  try {
    await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', config], {
      maxBuffer: 1 << 24,
    })
    return []
  } catch (error) {
    return (error as { stdout: string }).stdout.split('\n').filter((line) => line.includes('error'))
  }
}
