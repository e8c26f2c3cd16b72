import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import stringWidth from 'string-width'
import { WORKSPACE } from '#harness/paths'
import { renderFailure, renderTimeline, type FailureOptions } from '#grader/report/failure'
import { cut, harmless, paint, wrap, type Layout } from '#grader/report/layout'
import { renderResult, renderStep } from '#grader/report/text'
import { OUTCOMES } from '#grader/report/words'
import { runFolderName } from '#grader/run-folder'
import type { StepVerdict, Verdict } from '#grader/verdict'
import { renderComparison } from './compare.ts'
import { KEYS, LAB } from './messages.ts'
import { firstFailure, visibleHints, type LabState } from './state.ts'

/** How much of logs and timeline stands beside the failure, from generous to none: as much as the window has room for. */
const AMOUNTS = [
  { logLines: 6, events: 10 },
  { logLines: 4, events: 8 },
  { logLines: 3, events: 6 },
  { logLines: 2, events: 4 },
  { logLines: 1, events: 3 },
  { logLines: 0, events: 0 },
]
const LOG_LINES = 200

/** Title, runtime, and what must be known before anything else. */
export function renderHead({ lab, lang, runtime, notices }: LabState, layout: Layout): string[] {
  return [
    paint('bold', cut(`${lab.chapter.slice(0, 2)}  ${lab.spec.title[lang]}`, layout.columns), layout),
    paint(
      'dim',
      cut([runtime, LAB.watching(lab.chapter)[lang]].filter(Boolean).join(' · '), layout.columns),
      layout,
    ),
    ...notices.flatMap((notice) => wrap(notice, layout.columns)).map((line) => paint('yellow', line, layout)),
  ]
}

/** One line for each step. What passed before and was not reached this time says so. */
export function renderRows({ rows, passed, lang }: LabState, layout: Layout): string[] {
  return rows.map((row) => {
    const note = row.outcome === 'not-run' && passed.has(row.id) ? LAB.passedBefore[lang] : undefined
    return renderStep(row, { steps: rows as StepVerdict[] }, lang, layout, note)
  })
}

/** What is being done, or how the last run ended. */
export function renderStatus({ phase, lang, verdict, next, rows }: LabState, layout: Layout): string[] {
  if (phase.kind === 'starting') return [phase.text]
  if (phase.kind === 'waiting') return wrap(LAB.waiting(phase.holder)[lang], layout.columns)
  if (phase.kind === 'checking') {
    const running = rows.filter(({ id, outcome }) => outcome === 'running' && id in phase.passed)
    const passed = running.reduce((sum, { id }) => sum + phase.passed[id]!, 0)
    const steps = running.map(({ id }) => id).join(', ')
    const what = steps ? LAB.checkingSteps(steps, passed) : LAB.checking
    const saved = phase.files.length > 0 ? ` · ${LAB.saved(phase.files)[lang]}` : ''
    return [paint('yellow', cut(`${OUTCOMES.running.mark} ${what[lang]}${saved}`, layout.columns), layout)]
  }
  if (!verdict) return [LAB.notRunYet[lang]]
  const result = renderResult(verdict, lang, layout)
  return verdict.status === 'pass' ? [...result, ...wrap(LAB.green(next)[lang], layout.columns)] : result
}

/** The first failure in full, cut to the lines that there are; logs and timeline take what is left over. */
export function renderFirstFailure(state: LabState, layout: Layout, room: number): string[] {
  const step = firstFailure(state)
  if (!step) return []
  const hints = visibleHints(state, step)
  const attempts = AMOUNTS.map((amount) =>
    failureLines(state.verdict!, step, state, { ...layout, ...amount, hints }),
  )
  return attempts.find((lines) => lines.length <= room) ?? attempts.at(-1)!
}

function failureLines(
  verdict: Verdict,
  step: StepVerdict,
  { lang }: LabState,
  options: FailureOptions,
): string[] {
  return renderFailure(verdict, step, lang, options)
}

/** The keys that make sense now, on as few lines as the window allows. */
export function renderKeys(state: LabState, layout: Layout): string[] {
  const { lang, verdict } = state
  const failed = firstFailure(state) !== undefined
  const green = verdict?.status === 'pass'
  const offered = KEYS.filter(({ when }) => when === 'always' || (when === 'failed' ? failed : green))
  const lines: string[] = []
  for (const { key, does } of offered) {
    const item = `[${key}] ${does[lang]}`
    const longer = lines.length > 0 ? `${lines.at(-1)}  ${item}` : item
    if (lines.length > 0 && stringWidth(longer) <= layout.columns) lines[lines.length - 1] = longer
    else lines.push(item)
  }
  return lines.map((line) => paint('dim', line, layout))
}

/** What a key has asked for, on a page of its own. */
export function renderView(state: LabState, layout: Layout): string[] {
  const { view, lang, lab, verdict } = state
  if (view === 'solution') return renderComparison(lab, lang, layout)
  if (view === 'give-up') return wrap(LAB.mayGiveUp[lang], layout.columns)
  if (!verdict) return [LAB.notRunYet[lang]]
  if (view === 'logs') return renderRunLogs(verdict, state, layout)
  const failed = verdict.steps.filter((step) => step.failure && step.outcome !== 'pass')
  if (view === 'timeline') {
    const [step] = failed
    const events = step?.failure?.timeline ?? []
    if (!step || events.length === 0) return [LAB.noTimeline[lang]]
    return [`${step.id} — ${step.title[lang]}`, ...renderTimeline(events, lang, { ...layout, full: true })]
  }
  if (failed.length === 0) return [LAB.noFailures[lang]]
  return failed.flatMap((step, i) => [
    ...(i > 0 ? [''] : []),
    ...failureLines(verdict, step, state, {
      ...layout,
      logLines: 4,
      events: 6,
      hints: visibleHints(state, step),
    }),
  ])
}

function renderRunLogs({ startedAt }: Verdict, { lab, lang }: LabState, layout: Layout): string[] {
  const name = runFolderName(new Date(startedAt))
  const dir = join(WORKSPACE, '.runs', lab.chapter, name)
  const files = existsSync(dir) ? readdirSync(dir).filter((file) => file.endsWith('.log')) : []
  const blocks = files.toSorted().flatMap((file) => {
    const text = harmless(readFileSync(join(dir, file), 'utf8').trimEnd())
    const role = file.replace(/\.log$/, '')
    const lines = text ? text.split('\n').slice(-Math.ceil(LOG_LINES / files.length)) : []
    return lines.flatMap((line) => wrap(`${role} | ${line}`, layout.columns))
  })
  if (blocks.length === 0) return [LAB.noLogs[lang]]
  return [...blocks, '', LAB.logFiles(`workspace/.runs/${lab.chapter}/${name}/`)[lang]]
}
