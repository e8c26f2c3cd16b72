import { accessSync, constants, copyFileSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { WORKSPACE } from '#harness/paths'
import { say, type Text } from '#harness/text'
import { labVersion, type Lab } from './labs.ts'
import { takeLock } from './lock.ts'
import { runFolderName, writeAtomically } from './run-folder.ts'
import type { LabProgress, Progress, StepVerdict, Verdict } from './verdict.ts'

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

/** Records the verdict of a run on the learner's own folder; of any other it keeps nothing. */
export function recordVerdict(verdict: Verdict): Promise<KnownProgress> {
  if (verdict.subject !== 'workspace' || verdict.status === 'running') return readProgress()
  return change((progress) => enter(progress, verdict))
}

/** Remembers how far the learner has gone up a step's ladder. */
export function openHint(lab: string, step: string, rung: number): Promise<KnownProgress> {
  return change((progress) => {
    const { hints } = ofLab(progress, lab)
    hints[step] = Math.max(hints[step] ?? 0, rung)
  })
}

/** Remembers that the learner gave up and looked at the solution. */
export function surrender(lab: string): Promise<KnownProgress> {
  return change((progress) => {
    ofLab(progress, lab).surrendered ??= new Date().toISOString()
  })
}

/** Reopens labs that a newer edition has changed; says which, and why. */
export async function reopenChanged(labs: readonly Lab[]): Promise<KnownProgress> {
  const known = await readProgress()
  const changed = labs.filter((lab) => {
    const mine = known.progress.labs[lab.id]
    return mine !== undefined && Object.keys(mine.best).length > 0 && mine.labVersion !== labVersion(lab)
  })
  if (changed.length === 0) return known
  const result = await change((progress) => {
    for (const lab of changed) reopen(ofLab(progress, lab.id), labVersion(lab))
  })
  return { ...result, notices: [...result.notices, ...changed.map(reopenedNotice)] }
}

/** Every step of the lab has passed in its present edition. */
export function isGreen(lab: Lab, { labs }: Progress): boolean {
  const mine = labs[lab.id]
  if (!mine || mine.labVersion !== labVersion(lab)) return false
  return lab.spec.steps.every((step) => mine.best[step.id]?.outcome === 'pass')
}

function enter(progress: Progress, verdict: Verdict): void {
  const mine = ofLab(progress, verdict.lab)
  const at = new Date().toISOString()
  if (mine.labVersion && mine.labVersion !== verdict.labVersion) reopen(mine, verdict.labVersion)
  mine.labVersion = verdict.labVersion
  for (const { id } of verdict.steps.filter((step) => step.outcome === 'pass')) {
    mine.best[id] ??= { outcome: 'pass', at }
    if (mine.reopened) mine.reopened.steps = mine.reopened.steps.filter((step) => step !== id)
  }
  if (mine.reopened?.steps.length === 0) delete mine.reopened
  // A run that could decide nothing says nothing about the learner's work.
  if (verdict.status === 'unknown' && verdict.steps.every(undecided) && mine.last.run) return
  mine.last = {
    at,
    run: `.runs/${verdict.chapter}/${runFolderName(new Date(verdict.startedAt))}`,
    status: verdict.status,
    points: verdict.points,
    steps: Object.fromEntries(verdict.steps.map((step) => [step.id, step.outcome])),
  }
}

function undecided({ outcome }: StepVerdict): boolean {
  return outcome === 'unknown' || outcome === 'not-run'
}

function reopen(mine: LabProgress, version: string): void {
  const steps = [...new Set([...(mine.reopened?.steps ?? []), ...Object.keys(mine.best)])]
  mine.best = {}
  mine.labVersion = version
  if (steps.length > 0) mine.reopened = { at: new Date().toISOString(), steps }
}

function ofLab(progress: Progress, lab: string): LabProgress {
  progress.labs[lab] ??= {
    best: {},
    last: { at: '', run: '', status: 'unknown', points: { earned: 0, possible: 0 }, steps: {} },
    labVersion: '',
    hints: {},
  }
  return progress.labs[lab]
}

/** Reads, changes and writes while no other command does. A file that can't be written is no reason to fail. */
function change(edit: (progress: Progress) => void): Promise<KnownProgress> {
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
  'workspace/progress.jsonは、より新しい版のワークブックが書いたものです。ファイルには手を付けず、記録もしません。次を実行してください:git pull',
)

function readOnlyNotice(code: string): Text {
  const why = code ? ` (${code})` : ''
  return say(
    `workspace/progress.json can’t be written${why}: the verdict stands, but is not recorded. Run: chmod u+rw workspace workspace/progress.json`,
    `workspace/progress.jsonに書き込めません${why}。判定はそのまま有効ですが、記録されません。次を実行してください:chmod u+rw workspace workspace/progress.json`,
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

function reopenedNotice({ chapter }: Lab): Text {
  const number = chapter.slice(0, 2)
  return say(
    `Lab ${number} is open again: a newer edition has changed its tests. Your work is untouched. Run: npm run check ${number}`,
    `ラボ${number}を開き直しました。新しい版でテストが変わったためです。作業中のファイルはそのままです。次を実行してください:npm run check ${number}`,
  )
}
