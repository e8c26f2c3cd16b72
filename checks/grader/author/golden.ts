import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Language } from '#harness/text'
import type { Lab } from '../labs.ts'
import { renderVerdict } from '../report/text.ts'
import type { Verdict } from '../verdict.ts'

const LANGUAGES: Language[] = ['en', 'ja']

/** Which program's output is recorded, and how much of it. */
export interface Golden {
  program: string
  /** The part about the failed step alone: which steps went before it is not the program's doing. */
  failureOnly?: boolean
  /** Write it instead of comparing. */
  update: boolean
}

/**
 * What the learner reads is tested too: the terminal output for a program is recorded, and a change shows up in review.
 * What differs from run to run (ports, times, counts, seeds, log lines, the timeline) is masked or left out.
 */
export function checkGolden(lab: Lab, verdict: Verdict, { program, failureOnly, update }: Golden): string[] {
  return LANGUAGES.flatMap((language) => {
    const file = join(lab.checks, 'golden', `${program}.${language}.txt`)
    const whole = transcript(verdict, language)
    const text = failureOnly ? failureIn(whole) : whole
    const before = existsSync(file) ? readFileSync(file, 'utf8') : ''
    if (comparable(text) === comparable(before)) return []
    if (update) {
      mkdirSync(join(lab.checks, 'golden'), { recursive: true })
      writeFileSync(file, text)
      return []
    }
    return [
      `the learner reads something else than golden/${program}.${language}.txt (npm run author -- --update records it):\n${difference(before, text)}`,
    ]
  })
}

/** The verdict as the terminal shows it, without what no two runs have in common. */
export function transcript(verdict: Verdict, language: Language): string {
  const steady: Verdict = {
    ...verdict,
    runtime: { ...verdict.runtime, kind: 'native', why: { en: '…', ja: '…' }, versions: {} },
    steps: verdict.steps.map((step) => ({
      ...step,
      ...(step.failure && {
        failure: { ...step.failure, logs: [], timeline: [], evidence: ['timeline.json'] },
      }),
    })),
  }
  return `${renderVerdict(steady, language, { color: false, columns: 100 }).map(mask).join('\n')}\n`
}

/** From the line `✗ step — title` to the count at the end. */
function failureIn(text: string): string {
  return /^✗ \S+ — [\s\S]*?\n(?=\n✗ )/m.exec(text)?.[0] ?? text
}

/**
 * What must not change unseen. What was observed differs with the moment (how often a change was delivered twice) and
 * columns with the length of a number: they are recorded to be read, not compared.
 */
function comparable(text: string): string {
  return text
    .replace(/^ {2}(?:observed|結果)[\s\S]*?(?=^ {2}(?:hint|ヒント))/gm, '')
    .replaceAll(/ {2,}/g, ' ')
}

function mask(line: string): string {
  return line
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.-]+Z?/g, '<time>')
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '<uuid>')
    .replaceAll(/\b\d[0-9A-F]*\/[0-9A-F]+\b/g, '#/#') // a position in the WAL, in hexadecimal
    .replaceAll(/\d+(\.\d+)?/g, '#')
    .trimEnd()
}

function difference(before: string, after: string): string {
  const [old, fresh] = [before.split('\n'), after.split('\n')]
  const lines = fresh.filter((line) => !old.includes(line)).map((line) => `        + ${line}`)
  return [...old.filter((line) => !fresh.includes(line)).map((line) => `        - ${line}`), ...lines]
    .slice(0, 20)
    .join('\n')
}
