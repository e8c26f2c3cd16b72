import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** What a program's file name ends in. */
export const EXE = process.platform === 'win32' ? '.exe' : ''

/** The first version number in what a program says of itself. */
export async function versionOf(
  program: string,
  env: Record<string, string> = {},
  as: object = {},
): Promise<string> {
  const options = { ...as, env: { ...process.env, ...env }, cwd: '/', timeout: 10_000 }
  const { stdout } = await run(program, ['--version'], options)
  const version = /\b(?:v=)?(\d+\.[\d.]*\d)/.exec(stdout)?.[1]
  if (!version) throw new Error(`${program} tells no version`)
  return version
}
