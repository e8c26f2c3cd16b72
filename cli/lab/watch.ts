import { readdirSync, statSync, watch, type FSWatcher } from 'node:fs'
import { join } from 'node:path'

/** A look takes less than a millisecond, and finds what file events missed: on network folders, under WSL. */
const LOOK_MS = 400

/** Not the learner's: dependencies, history, and what editors leave while they save. */
const SKIPPED = /^(?:node_modules|\..*|.*~|.*\.(?:swp|swx|tmp)|#.*#|4913)$/

/**
 * Calls back with the names of files that were changed, made or removed. An event only hastens the next look, so one save
 * is told once, however many events it made.
 */
export function watchFolder(dir: string, onChange: (files: string[]) => void): () => void {
  let known = look(dir)
  const compare = (): void => {
    const now = look(dir)
    const changed = [...new Set([...known.keys(), ...now.keys()])].filter(
      (name) => known.get(name) !== now.get(name),
    )
    known = now
    if (changed.length > 0) onChange(changed)
  }
  const watcher = events(dir, compare)
  const timer = setInterval(compare, LOOK_MS)
  return () => {
    clearInterval(timer)
    watcher?.close()
  }
}

function events(dir: string, changed: () => void): FSWatcher | undefined {
  if (process.env.WORKBOOK_NO_EVENTS) return undefined
  try {
    const watcher = watch(dir, { recursive: true }, changed)
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    return undefined // no events here, or no more watches left: the looking is enough
  }
}

/** Every file with what changes when it is saved: a save of the same text counts, as whoever saves wants an answer. */
function look(dir: string, prefix = ''): Map<string, string> {
  const found = new Map<string, string>()
  for (const entry of list(dir)) {
    if (SKIPPED.test(entry.name)) continue
    const path = join(dir, entry.name)
    if (entry.isDirectory())
      for (const [name, stamp] of look(path, `${prefix}${entry.name}/`)) found.set(name, stamp)
    else found.set(prefix + entry.name, stampOf(path))
  }
  return found
}

function list(dir: string) {
  try {
    return readdirSync(dir, { withFileTypes: true })
  } catch {
    return [] // removed this moment
  }
}

function stampOf(path: string): string {
  const stats = statSync(path, { throwIfNoEntry: false })
  return stats ? `${stats.mtimeMs} ${stats.size} ${stats.ino}` : ''
}
