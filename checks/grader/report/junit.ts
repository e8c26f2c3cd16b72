import { stripVTControlCharacters } from 'node:util'
import type { Language } from '#harness/text'
import type { Failure, StepVerdict, TestVerdict, Verdict } from '../verdict.ts'

/** Verdicts as JUnit's XML: a suite for each lab, a case for each test. */
export function renderJunit(verdicts: readonly Verdict[], lang: Language): string {
  const suites = verdicts.map((verdict) => suite(verdict, lang))
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n${suites.join('')}</testsuites>\n`
}

function suite(verdict: Verdict, lang: Language): string {
  const cases = verdict.steps.flatMap((step) => casesOf(verdict, step, lang))
  const count = (tag: string): number => cases.filter((xml) => xml.includes(`<${tag} `)).length
  const attributes = {
    name: verdict.chapter,
    tests: cases.length,
    failures: count('failure'),
    errors: count('error'),
    skipped: count('skipped'),
    time: verdict.durationMs / 1000,
    timestamp: verdict.startedAt.replace(/\.\d+Z$/, ''),
  }
  const properties = {
    subject: verdict.subject,
    seed: verdict.seed,
    runtime: verdict.runtime.kind,
    status: verdict.status,
  }
  const lines = Object.entries(properties).map(
    ([name, value]) => `      <property${xmlAttributes({ name, value })}/>\n`,
  )
  return `  <testsuite${xmlAttributes(attributes)}>\n    <properties>\n${lines.join('')}    </properties>\n${cases.join('')}  </testsuite>\n`
}

function casesOf(verdict: Verdict, step: StepVerdict, lang: Language): string[] {
  const classname = `${verdict.lab}.${step.id}`
  // The step's failure belongs to the test that it names, or stands alone where no test came to run.
  const failing = step.tests.find(
    (test) => test.outcome !== 'pass' && test.title.en === step.failure?.test.en,
  )
  const cases = step.tests.map((test) =>
    testcase(
      classname,
      test.title[lang],
      test.durationMs,
      inside(test, test === failing ? step.failure : undefined, lang),
    ),
  )
  const alone = step.failure ? failing === undefined : step.tests.length === 0
  if (!alone) return cases
  const title = step.failure?.test[lang] ?? step.title[lang]
  return [...cases, testcase(classname, title, step.durationMs, inside(step, step.failure, lang))]
}

function testcase(classname: string, name: string, ms: number, content: string): string {
  return `    <testcase${xmlAttributes({ classname, name, time: ms / 1000 })}>${content}</testcase>\n`
}

/** What stands in a case: nothing for a pass. JUnit knows no *unknown*, so that is an error of this type. */
function inside(
  { outcome }: Pick<TestVerdict, 'outcome'>,
  failure: Failure | undefined,
  lang: Language,
): string {
  if (outcome === 'pass') return ''
  if (outcome === 'not-run') return `<skipped message="not run"/>`
  const tag = outcome === 'fail' ? 'failure' : 'error'
  const message = failure?.observed[lang] ?? outcome
  const lines = failure
    ? [`when: ${failure.when[lang]}`, `expected: ${failure.expected[lang]}`, `observed: ${message}`]
    : []
  const logs = (failure?.logs ?? []).flatMap(({ role, lines: log }) => log.map((line) => `${role} | ${line}`))
  return `<${tag}${xmlAttributes({ type: outcome, message })}>${escape([...lines, ...logs].join('\n'))}</${tag}>`
}

function xmlAttributes(attributes: Record<string, string | number>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${escape(String(value)).replaceAll('\n', '&#10;')}"`)
    .join('')
}

/** XML 1.0 has no place for most control characters, not even escaped, nor for half a surrogate pair. */
function escape(text: string): string {
  return stripVTControlCharacters(text)
    .toWellFormed()
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\ufffe\uffff]/g, '')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
