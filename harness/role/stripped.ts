import { hash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { join } from 'node:path'
import { RUNTIME_DIR } from '../paths.ts'
import { OWNER, ownFolder } from '../process/owned.ts'

/** Files without their types, each named by the hash of its source. Roles find theirs there: see `standby.mjs`. */
export const STRIPPED = join(RUNTIME_DIR, 'stripped', OWNER)

/** Sources that are done, or that Node could not read: the role says what is wrong with those. */
const known = new Set<string>()

/**
 * Strips the types of a subject's files, once for all its roles: a process that has to do it itself loads the compiler
 * for that, 60 to 80 ms of processor each.
 */
export function stripTypes(subject: string): void {
  for (const file of sourcesIn(subject)) {
    const name = hash('sha1', file)
    if (known.has(name)) continue
    known.add(name)
    const stripped = withoutTypes(file.toString())
    if (stripped !== undefined) tryToKeep(name, stripped)
  }
}

function sourcesIn(dir: string): Buffer[] {
  try {
    return readdirSync(join(dir, 'src'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)))
  } catch {
    return [] // missing or unreadable: the start of the role tells
  }
}

function withoutTypes(source: string): string | undefined {
  const before = Object.getOwnPropertyDescriptor(process, 'emitWarning')!
  process.emitWarning = () => {} // Node calls this experimental, and what it does with every file of ours not
  try {
    return stripTypeScriptTypes(source)
  } catch {
    return undefined
  } finally {
    Object.defineProperty(process, 'emitWarning', before)
  }
}

/** On a full disk, for one, it is not kept: roles do then without. */
function tryToKeep(name: string, stripped: string): void {
  const file = join(STRIPPED, name)
  try {
    if (!existsSync(STRIPPED)) ownFolder(STRIPPED)
    mkdirSync(STRIPPED, { recursive: true })
    // A role may look for it at this very moment.
    writeFileSync(`${file}.tmp`, stripped)
    renameSync(`${file}.tmp`, file)
  } catch {
    known.delete(name)
  }
}
