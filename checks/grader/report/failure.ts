import type { Language } from '#harness/text'
import type { Failure, StepVerdict, TimelineEvent, Verdict } from '../verdict.ts'
import { runFolderName } from '../run-folder.ts'
import { cut, harmless, labelled, pad, paint, wrap, type Layout } from './layout.ts'
import { LABELS, OUTCOMES, WORDS } from './words.ts'
import stringWidth from 'string-width'

/** How much stands beside a failure. */
export interface FailureOptions extends Layout {
  /** Last log lines of each role. Default 6. */
  logLines?: number
  /** Last events of the timeline. Default 10. */
  events?: number
  /** Further rungs of the ladder that the learner has opened. */
  hints?: readonly { rung: number; text: string }[]
  /** Where runs stand, as the learner types it. */
  runs?: string
}

const RUNGS = 3
const LOG_ROWS = 3
const SITE = 'http://localhost:3000'

/** Width of the labels in front of a failure's fields. */
export function labelWidth(lang: Language): number {
  const fixed = Object.values(LABELS).flatMap((label) => (typeof label === 'function' ? [] : [label[lang]]))
  return Math.max(...[...fixed, LABELS.hint(RUNGS, RUNGS)[lang]].map((label) => stringWidth(label))) + 2
}

/** A step that did not pass, in full. */
export function renderFailure(
  verdict: Pick<Verdict, 'chapter' | 'startedAt' | 'seed'>,
  step: StepVerdict,
  lang: Language,
  options: FailureOptions,
): string[] {
  const { failure } = step
  const { mark, style } = OUTCOMES[step.outcome]
  const head = wrap(`${mark} ${step.id} — ${step.title[lang]}`, options.columns)
  const lines = head.map((line) => paint(['bold', style], line, options))
  if (!failure) return lines
  const width = labelWidth(lang)
  const field = (label: string, text: string): string[] => labelled(label, harmless(text), width, options)
  lines.push(
    ...field(LABELS.test[lang], failure.test[lang]),
    ...field(LABELS.when[lang], failure.when[lang]),
    ...field(LABELS.expected[lang], failure.expected[lang]),
    ...field(LABELS.observed[lang], failure.observed[lang]),
  )
  for (const { rung, text } of hintsOf(failure, lang, options))
    lines.push(...field(LABELS.hint(rung, RUNGS)[lang], text).map((line) => paint('cyan', line, options)))
  if (failure.remedy) lines.push(...field(LABELS.remedy[lang], failure.remedy[lang]))
  lines.push(...evidence(verdict, failure, lang, width, options), ...chapterLink(verdict, step, lang, width))
  if (step.outcome !== 'unknown' && failure.stack)
    lines.push(...field(LABELS.stack[lang], failure.stack.split('\n').slice(0, 6).join('\n')))
  lines.push(...renderLogs(failure, lang, { logLines: 6, ...options }))
  lines.push(...renderTimeline(failure.timeline, lang, { events: 10, ...options }))
  return lines
}

function hintsOf(
  failure: Failure,
  lang: Language,
  { hints }: FailureOptions,
): readonly { rung: number; text: string }[] {
  if (hints) return hints
  return failure.hintText ? [{ rung: failure.hint, text: failure.hintText[lang] }] : []
}

function evidence(
  { chapter, startedAt }: Pick<Verdict, 'chapter' | 'startedAt'>,
  { evidence: files }: Failure,
  lang: Language,
  width: number,
  options: FailureOptions,
): string[] {
  if (files.length === 0) return []
  const folder = `${options.runs ?? 'workspace/.runs'}/${chapter}/${runFolderName(new Date(startedAt))}/`
  const indent = ' '.repeat(width + 2)
  // A path in one piece can be copied, and opened by a click, however narrow the terminal.
  const names = wrap(files.toSorted().join(', '), options.columns - width - 2)
  return [`  ${pad(LABELS.evidence[lang], width)}${folder}`, ...names.map((line) => indent + line)]
}

function chapterLink(
  { chapter }: Pick<Verdict, 'chapter'>,
  { section }: StepVerdict,
  lang: Language,
  width: number,
): string[] {
  const url = `${SITE}${lang === 'ja' ? '/ja' : ''}/chapters/${chapter}#${section}`
  return [`  ${pad(LABELS.chapter[lang], width)}${url}`]
}

/** The last lines of each role, its name in front of each. */
export function renderLogs(
  { logs }: Failure,
  lang: Language,
  { logLines = 30, ...layout }: Layout & { logLines?: number },
): string[] {
  const names = Math.max(0, ...logs.map(({ role }) => stringWidth(role)))
  const lines = logs.toSorted(byRole).flatMap(({ role, lines: log }) => {
    const last = log.flatMap((line) => harmless(line).split('\n')).slice(-logLines)
    return last.flatMap((line) => logLine(pad(role, names), line, layout))
  })
  if (logLines === 0 || lines.length === 0) return []
  return ['', paint('dim', `  ${WORDS.logs[lang]}`, layout), ...lines]
}

/** A line of a log is often JSON on one long line, with the error at its end: up to three rows for each. */
function logLine(role: string, line: string, { columns }: Layout): string[] {
  const head = `  ${role} | `
  const rows = wrap(line, columns - stringWidth(head))
  const shown = rows.length > LOG_ROWS ? [...rows.slice(0, LOG_ROWS - 1), '…'] : rows
  return shown.map((row, i) => (i === 0 ? head : ' '.repeat(stringWidth(head))) + row)
}

function byRole(a: { role: string }, b: { role: string }): number {
  return a.role < b.role ? -1 : 1
}

/** What crossed between the parts, a line each: when, from whom to whom, what. */
export function renderTimeline(
  all: readonly TimelineEvent[],
  lang: Language,
  {
    events = Number.POSITIVE_INFINITY,
    full = false,
    ...layout
  }: Layout & { events?: number; full?: boolean },
): string[] {
  const shown = events === 0 ? [] : all.slice(-events)
  if (shown.length === 0) return []
  const from = Math.max(...shown.map((event) => stringWidth(event.from)))
  const to = Math.max(...shown.map((event) => stringWidth(event.to)))
  const lines = shown.flatMap((event) => {
    const path = event.from === event.to ? event.from : `${pad(event.from, from)} → ${event.to}`
    const place = `  ${event.at.toFixed(1).padStart(9)}  ${pad(path, from + 3 + to)}  `
    const words = (lang === 'ja' && event.ja) || event.text
    const took = event.ms === undefined ? '' : ` (${Math.round(event.ms * 10) / 10} ms)`
    const text = `${event.failed ? `${WORDS.failed[lang]}: ` : ''}${harmless(words).replaceAll(/\s+/g, ' ')}${took}`
    const [first = '', ...more] = full ? wrap(text, layout.columns - stringWidth(place)) : [text]
    const indent = ' '.repeat(stringWidth(place))
    const pieces = [cut(place + first, layout.columns), ...more.map((line) => indent + line)]
    return event.failed ? pieces.map((line) => paint('red', line, layout)) : pieces
  })
  return ['', paint('dim', `  ${WORDS.timeline(shown.length, all.length)[lang]}`, layout), ...lines]
}
