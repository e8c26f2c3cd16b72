import { accessSync, constants, copyFileSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { WORKSPACE } from '#harness/paths'
import { say, type Text } from '#harness/text'
import { takeLock } from './lock.ts'
import { runFolderName, writeAtomically } from './run-folder.ts'
import type { LabProgress, Progress } from './verdict.ts'

const FILE = join(WORKSPACE, 'progress.json')
/** The last good state beside it, for the day when the file is damaged. */
const COPY = join(WORKSPACE, '.runs', 'progress.copy.json')
const VERSION = 1

/** What is known of the learner's progress, and what they must be told about the file. */
export interface KnownProgress {
  progress: Progress
  notices: Text[]
  /** False: the file is read-only, or of a newer edition, and nothing is recorded. */
  recording: boolean
}

/** The learner's progress. A damaged file is set aside and re-made from the last good copy. */
export async function readProgress(): Promise<KnownProgress> {
  const found = look()
  return found === 'damaged' ? locked(restore) : found
}

/** Reads, changes and writes while no other command does. A file that can't be written is no reason to fail. */
export function changeProgress(edit: (progress: Progress) => void): Promise<KnownProgress> {
  return locked(() => {
    const known = restore()
    if (!known.recording) return known
    edit(known.progress)
    const text = `${JSON.stringify(known.progress, null, 2)}\n`
    try {
      mkdirSync(WORKSPACE, { recursive: true })
      writeAtomically(FILE, text)
    } catch (error) {
      const { code = '' } = error as NodeJS.ErrnoException
      if (!code) throw error
      return { ...known, recording: false, notices: [...known.notices, readOnlyNotice(code)] }
    }
    keepCopy()
    return known
  })
}

async function locked<T>(work: () => T): Promise<T> {
  const release = await takeLock('progress', { command: 'progress' })
  try {
    return work()
  } finally {
    release()
  }
}

function look(): KnownProgress | 'damaged' {
  let text: string
  try {
    text = readFileSync(FILE, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return { progress: empty(), notices: [], recording: true }
    if (code === 'EISDIR') return 'damaged'
    return { progress: empty(), notices: [readOnlyNotice(code ?? '')], recording: false }
  }
  const parsed = parse(text)
  if (!parsed) return 'damaged'
  if (parsed.version > VERSION) return { progress: empty(), notices: [NEWER], recording: false }
  if (!writable()) return { progress: parsed, notices: [readOnlyNotice('')], recording: false }
  return { progress: parsed, notices: [], recording: true }
}

/** Under the lock: nobody is writing, so what is damaged now stays damaged. */
function restore(): KnownProgress {
  const found = look()
  if (found !== 'damaged') return found
  const aside = join(WORKSPACE, `progress.damaged-${runFolderName(new Date())}.json`)
  try {
    renameSync(FILE, aside)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    return { progress: empty(), notices: [readOnlyNotice(code)], recording: false }
  }
  const copy = readCopy()
  if (copy) writeAtomically(FILE, `${JSON.stringify(copy.progress, null, 2)}\n`)
  return {
    progress: copy?.progress ?? empty(),
    notices: [damagedNotice(basename(aside), copy?.at)],
    recording: true,
  }
}

function readCopy(): { progress: Progress; at: Date } | undefined {
  try {
    const progress = parse(readFileSync(COPY, 'utf8'))
    return progress?.version === VERSION ? { progress, at: statSync(COPY).mtime } : undefined
  } catch {
    return undefined // none was kept yet
  }
}

function keepCopy(): void {
  try {
    mkdirSync(join(WORKSPACE, '.runs'), { recursive: true })
    copyFileSync(FILE, `${COPY}.tmp`)
    renameSync(`${COPY}.tmp`, COPY)
  } catch {
    // The file itself is written; the copy is for a day that may never come.
  }
}

/** The file's content where it has the right shape; a newer version may have any. */
function parse(text: string): Progress | undefined {
  try {
    const value = JSON.parse(text) as Progress
    if (typeof value !== 'object' || value === null || typeof value.version !== 'number') return undefined
    if (value.version > VERSION) return value
    return isObject(value.labs) && Object.values(value.labs).every(isLabProgress) ? value : undefined
  } catch {
    return undefined
  }
}

function isLabProgress(value: unknown): boolean {
  const { best, last, hints } = (value ?? {}) as Partial<LabProgress>
  return isObject(best) && isObject(last) && isObject(last.steps) && isObject(last.points) && isObject(hints)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Replacing a file needs no right to write it: whoever took that right away means it all the same. */
function writable(): boolean {
  try {
    accessSync(FILE, constants.W_OK)
    return (statSync(FILE).mode & 0o222) !== 0
  } catch {
    return false
  }
}

function empty(): Progress {
  return { version: VERSION, labs: {} }
}

const NEWER = say(
  'workspace/progress.json was written by a newer edition of the workbook. It is left as it is, and nothing is recorded. Run: git pull',
  'workspace/progress.jsonは、より新しい版のワークブックが書いたものです。ファイルには手を付けず、記録もしません。次を実行してください：git pull',
)

function readOnlyNotice(code: string): Text {
  const why = code ? ` (${code})` : ''
  return say(
    `workspace/progress.json can’t be written${why}: the verdict stands, but is not recorded. Run: chmod u+rw workspace workspace/progress.json`,
    `workspace/progress.jsonに書き込めません${why}。判定はそのまま有効ですが、記録されません。次を実行してください：chmod u+rw workspace workspace/progress.json`,
  )
}

function damagedNotice(aside: string, copied: Date | undefined): Text {
  const kept = copied?.toISOString().slice(0, 19).replace('T', ' ')
  return kept
    ? say(
        `workspace/progress.json was damaged. It is kept as ${aside}; the copy of ${kept} UTC takes its place.`,
        `workspace/progress.jsonが壊れていました。${aside}として残し、${kept} UTC時点の控えから作り直しました。`,
      )
    : say(
        `workspace/progress.json was damaged. It is kept as ${aside}, and a new one is begun.`,
        `workspace/progress.jsonが壊れていました。${aside}として残し、新しく作り直しました。`,
      )
}
