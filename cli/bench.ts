import { parseArgs } from 'node:util'
import stringWidth from 'string-width'
import { benchRows, measure, type BenchResult } from '#grader/bench'
import { findLab } from '#grader/labs'
import { overlaySubject, resolveSubject, type Subject } from '#grader/subject'
import type { Lab } from '#grader/labs'
import { withRun } from '#grader/run-lock'
import { StepFailure } from '#harness/failure'
import { say, type Language } from '#harness/text'
import { Unavailable } from '#harness/unavailable'
import { join } from 'node:path'
import { language } from './language.ts'
import { beforeEnd, sweepLeftovers } from './life.ts'
import { findRuntime } from './session.ts'

const WIDTH = 40

/** `npm run bench NN`: measures a subject of a lab, with the seed's figures beside. `loop` and `site` measure the workbook. */
export async function bench(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      subject: { type: 'string', default: 'workspace' },
      json: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      row: { type: 'string', multiple: true },
      lang: { type: 'string' },
    },
  })
  const [what = ''] = positionals
  if (what === 'loop') return (await import('./bench-loop.ts')).benchLoop(values.json)
  if (what === 'site') return (await import('./bench-site.ts')).benchSite(args)
  const lang = language(values.lang)
  const lab = await findLab(what)
  const rows = lab ? await benchRows(lab) : []
  if (!lab || rows.length === 0) {
    console.error(NO_BENCH[lang].replace('%s', what))
    return 2
  }
  await sweepLeftovers(lang, console.error)
  const runtime = await findRuntime(lang, { now: console.error })
  beforeEnd(() => runtime.close())
  if (!values.json) console.log(`${lab.chapter}  ${values.subject}  ${runtime.kind} (${runtime.why[lang]})\n`)
  const chosen = values.row ? rows.filter((row) => values.row!.includes(row.id)) : rows
  const subject = await subjectOf(lab, values.subject)
  const onRow = (result: BenchResult): unknown => values.json || print(result, lang)
  const results = await withRun({ command: 'npm run bench' }, () =>
    measure(lab, runtime, subject, { rows: chosen, full: values.full, onRow }),
  ).catch((error: unknown) => {
    throw error instanceof StepFailure ? notMeasured(error, lab, values.subject) : error
  })
  if (values.json)
    console.log(JSON.stringify(Object.fromEntries(results.map((r) => [r.row.id, r.measured])), null, 2))
  return 0
}

const NO_BENCH = say(
  'There is no bench "%s". Give the number of a chapter that has one, loop, or site.',
  'ベンチ「%s」はありません。ベンチのある章の番号、loop、siteのいずれかを指定してください。',
)

/** A bench starts with what the lab's steps are about: a subject that lacks it can't be measured. */
export function notMeasured(cause: StepFailure, { chapter }: Lab, subject: string): Unavailable {
  const { when, expected, observed } = cause.finding
  const why = (lang: Language) => [when, expected, observed].map((part) => part[lang]).join('\n')
  const number = chapter.slice(0, 2)
  const solution = `npm run bench ${number} -- --subject solution`
  const missing = {
    what: say(
      'The service does not do what this bench needs.',
      'サービスが、このベンチに必要な動きをしませんでした。',
    ),
    why: say(why('en'), why('ja')),
    remedy:
      subject === 'solution'
        ? say(
            'Close other programs, then run the command again.',
            'ほかのプログラムを閉じて、もう一度実行してください。',
          )
        : say(
            `Make the steps pass first: npm run check ${number}. Or measure the solution: ${solution}`,
            `先にステップを通してください：npm run check ${number}。解答を測るなら：${solution}`,
          ),
  }
  return new Unavailable(missing, { cause })
}

const SEED = say('seed', 'シード')
const LIMIT = say('limit', '上限')

async function subjectOf(lab: Lab, name: string): Promise<Subject> {
  const [kind, rest] = name.split(':')
  if (rest && (kind === 'mutant' || kind === 'variant'))
    return overlaySubject(lab, join(lab.checks, `${kind}s`, rest), name)
  return resolveSubject(lab, name)
}

function print({ row, measured }: BenchResult, lang: Language): void {
  console.log(row.title[lang])
  console.log(`  ${measured.text[lang]}`)
  console.log(`  ${SEED[lang]}: ${row.seed[lang]}${row.limit ? `   ${LIMIT[lang]}: ${row.limit[lang]}` : ''}`)
  const bars = measured.bars ?? []
  const most = Math.max(...bars.map((bar) => bar.value), Number.MIN_VALUE)
  const labels = Math.max(0, ...bars.map((bar) => stringWidth(bar.label[lang])))
  for (const { label, value } of bars) {
    const pad = ' '.repeat(labels - stringWidth(label[lang]))
    const figure =
      `${value >= 100 ? Math.round(value) : Math.round(value * 10) / 10} ${measured.unit ?? ''}`.trim()
    console.log(
      `  ${label[lang]}${pad}  ${'█'.repeat(Math.max(1, Math.round((value / most) * WIDTH)))} ${figure}`,
    )
  }
  console.log('')
}
