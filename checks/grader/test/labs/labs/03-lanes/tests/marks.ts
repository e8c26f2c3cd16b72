import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually, same } from '#harness'
import { lab } from '#harness/context'

/** Leaves a word for the tests of other steps. */
export function leave(name: string, word = ''): void {
  writeFileSync(join(lab().runDir, name), word)
}

/** Waits until another test has left its word. */
export async function read(name: string): Promise<string> {
  const file = join(lab().runDir, name)
  await eventually(same(`mark ${name}`), () => existsSync(file) && readFileSync(file, 'utf8') !== '', true)
  return readFileSync(file, 'utf8')
}
