import stringWidth from 'string-width'
import type { Language } from '#harness/text'
import type { StepVerdict, Verdict } from '../verdict.ts'
import { renderFailure, type FailureOptions } from './failure.ts'
import { cut, harmless, pad, paint, wrap, type Layout } from './layout.ts'
import { OUTCOMES, tally, WORDS } from './words.ts'

export interface RenderOptions extends FailureOptions {
  /** `first`: one failure in full, the others in a line each. Default. */
  failures?: 'first' | 'all'
}

/** A verdict for people. The same verdict gives the same lines: nothing else is looked at. */
export function renderVerdict(verdict: Verdict, lang: Language, options: RenderOptions): string[] {
  const failed = verdict.steps.filter((step) => step.failure && step.outcome !== 'pass')
  const full = options.failures === 'all' ? failed : failed.slice(0, 1)
  return [
    ...renderTitle(verdict, lang, options),
    ...verdict.steps.map((step) => renderStep(step, verdict, lang, options)),
    ...full.flatMap((step) => ['', ...renderFailure(verdict, step, lang, options)]),
    ...renderOthers(failed.slice(full.length), lang, options),
    '',
    ...renderResult(verdict, lang, options),
  ]
}

/** Number and title of the lab. */
export function renderTitle({ chapter, title }: Verdict, lang: Language, layout: Layout): string[] {
  return wrap(`${chapter.slice(0, 2)}  ${title[lang]}`, layout.columns).map((line) =>
    paint('bold', line, layout),
  )
}

/** A step in one line: mark, word, id, title, points, time. */
export function renderStep(
  step: Omit<StepVerdict, 'outcome'> & { outcome: StepVerdict['outcome'] | 'running' },
  { steps }: Pick<Verdict, 'steps'>,
  lang: Language,
  layout: Layout,
  note?: string,
): string {
  const { mark, word, style } = OUTCOMES[step.outcome]
  const words = Math.max(...Object.values(OUTCOMES).map((outcome) => stringWidth(outcome.word[lang])))
  const ids = Math.max(...steps.map(({ id }) => id.length))
  const ran = step.outcome !== 'not-run' && step.outcome !== 'running'
  const points = `${step.outcome === 'pass' ? step.points : 0}/${step.points}`
  const tail = note ?? (ran ? `${pad(points, 5)} ${step.durationMs} ms` : points)
  // Room for the longest tail, so that the titles end in one place.
  const room = layout.columns - (2 + 2 + words + 2 + ids + 2) - 2 - Math.max(14, stringWidth(tail))
  const title = room < 12 ? '' : pad(cut(step.title[lang], room), room)
  const line = [`${mark} ${pad(word[lang], words)}`, pad(step.id, ids), title, tail].filter(Boolean)
  return paint(style, `  ${line[0]}`, layout) + `  ${line.slice(1).join('  ')}`.trimEnd()
}

function renderOthers(steps: StepVerdict[], lang: Language, layout: Layout): string[] {
  if (steps.length === 0) return []
  const lines = steps.map(({ id, outcome, failure }) => {
    // What does not hold yet says more than a value without its question; where nothing could be asked, why not.
    const told = outcome === 'fail' ? failure!.test : failure!.observed
    const text = harmless(told[lang]).replaceAll(/\s+/g, ' ')
    return cut(`  ${OUTCOMES[outcome].mark} ${id} — ${text}`, layout.columns)
  })
  return ['', `${WORDS.others[lang]}`, ...lines]
}

/** The last line: the outcome in a word, points, counts, time, and how to repeat what failed. */
export function renderResult(verdict: Verdict, lang: Language, layout: Layout): string[] {
  const { mark, word, style } = OUTCOMES[verdict.status]
  const outcome = `${mark} ${word[lang]}  `
  const facts = [
    WORDS.points(verdict.points.earned, verdict.points.possible)[lang],
    tally(verdict)[lang],
    WORDS.seconds((verdict.durationMs / 1000).toFixed(1))[lang],
  ]
  const indent = stringWidth(outcome)
  const [first = '', ...more] = wrap(facts.join(' · '), layout.columns - indent)
  const lines = [
    paint(['bold', style], outcome, layout) + first,
    ...more.map((line) => ' '.repeat(indent) + line),
  ]
  if (verdict.status === 'pass' || verdict.status === 'running') return lines
  const subject = verdict.subject === 'workspace' ? '' : ` --subject ${verdict.subject}`
  const number = verdict.chapter.slice(0, 2)
  const command = `npm run check ${number} --${subject} --seed ${verdict.seed}`
  return [...lines, `  ${WORDS.again(command)[lang]}`]
}
