import { say, type Text } from '#harness/text'
import { labVersion, type Lab } from './labs.ts'
import { changeProgress, readProgress, type KnownProgress } from './progress-file.ts'
import { runFolderName } from './run-folder.ts'
import type { LabProgress, Progress, StepVerdict, Verdict } from './verdict.ts'

export { readProgress, type KnownProgress }

/** Records the verdict of a run on the learner's own folder; of any other it keeps nothing. */
export function recordVerdict(verdict: Verdict): Promise<KnownProgress> {
  if (verdict.subject !== 'workspace' || verdict.status === 'running') return readProgress()
  return changeProgress((progress) => enter(progress, verdict))
}

/** Remembers how far the learner has gone up a step's ladder. */
export function openHint(lab: string, step: string, rung: number): Promise<KnownProgress> {
  return changeProgress((progress) => {
    const { hints } = ofLab(progress, lab)
    hints[step] = Math.max(hints[step] ?? 0, rung)
  })
}

/** Remembers that the learner gave up and looked at the solution. */
export function surrender(lab: string): Promise<KnownProgress> {
  return changeProgress((progress) => {
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
  const result = await changeProgress((progress) => {
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

function reopenedNotice({ chapter }: Lab): Text {
  const number = chapter.slice(0, 2)
  return say(
    `Lab ${number} is open again: a newer edition has changed its tests. Your work is untouched. Run: npm run check ${number}`,
    `ラボ${number}を開き直しました。新しい版でテストが変わったためです。作業中のファイルはそのままです。次を実行してください：npm run check ${number}`,
  )
}
