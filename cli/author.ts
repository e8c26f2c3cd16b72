import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { runGate } from '#grader/author/gate'
import { checkLayout } from '#grader/author/layout'
import { newLab } from '#grader/author/new-lab'
import { checkTypes } from '#grader/author/types'
import { allLabs, draftLabs, findLab, type Lab } from '#grader/labs'
import { withRun } from '#grader/run-lock'
import { ROOT } from '#harness/paths'
import { beforeEnd, sweepLeftovers } from './life.ts'
import { findRuntime } from './session.ts'

/**
 * `npm run author [NN …]`: proves the content, as strict as a compiler; `NN/name` one program of a lab alone. What has
 * failed is named in that form at the end, to be given again. With `--minutes`, mutants and variants that have not begun
 * by then are left out, and named. `new NN-slug` begins a lab. Authors read English, so its own words are English only.
 */
export async function author(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      runtime: { type: 'string' },
      fast: { type: 'boolean', default: false },
      rest: { type: 'boolean', default: false },
      own: { type: 'boolean', default: false },
      update: { type: 'boolean', default: false },
      only: { type: 'string' },
      minutes: { type: 'string' },
      slack: { type: 'string', default: process.env.WORKBOOK_SLACK ?? '1' },
      lang: { type: 'string' },
    },
  })
  if (positionals[0] === 'new') return newLab(positionals[1] ?? '')
  if (values.runtime) process.env.LAB_RUNTIME = values.runtime
  const programs = Map.groupBy(
    positionals.filter((name) => name.includes('/')),
    (name) => name.split('/')[0]!,
  )
  const labs = await chosen([...new Set(positionals.map((name) => name.split('/')[0]!))])
  if (!labs) return 2
  const drafts = positionals.length > 0 ? [] : await draftLabs()
  if (drafts.length > 0)
    console.log(`drafts, not proved here: ${drafts.map((lab) => lab.chapter).join(', ')}`)
  const total = { passed: 0, failed: 0 }
  const failed: string[] = []
  const leftOut: string[] = []
  const deadline = values.minutes === undefined ? undefined : Date.now() + Number(values.minutes) * 60_000
  const count = (name: string, problems: string[], ms?: number): void => {
    total[problems.length > 0 ? 'failed' : 'passed']++
    console.log(`${problems.length > 0 ? 'FAIL' : 'ok  '}  ${name}${ms === undefined ? '' : `  ${ms} ms`}`)
    for (const problem of problems) console.log(`      ${problem}`)
  }
  await sweepLeftovers('en', console.log)
  for (const lab of labs) count(`${lab.chapter}  layout`, checkLayout(lab))
  count('types of starters, solutions, mutants, variants', await checkTypes(labs))
  for (const problem of await pages()) count('pages', [problem])
  const options = {
    fast: values.fast,
    rest: values.rest,
    own: values.own,
    update: values.update,
    slack: Number(values.slack),
    ...(values.only && { only: values.only }),
  }
  for (const [at, lab] of labs.entries()) {
    // Each lab gets its share of what is left.
    const until = deadline && Date.now() + (deadline - Date.now()) / (labs.length - at)
    const runtime = await findRuntime('en', { now: () => {} })
    const withdraw = beforeEnd(() => runtime.close())
    const id = lab.chapter.slice(0, 2)
    const only = (programs.get(id) ?? programs.get(lab.chapter))?.map((name) => name.split('/')[1]!)
    await withRun({ command: 'npm run author' }, () =>
      runGate(lab, runtime, {
        ...options,
        ...(only && { programs: only }),
        // What was asked for by name is proved, however late it is.
        ...(until && !only && { until }),
        onLeftOut: (name) => leftOut.push(`${id}/${name.split(' ').at(-1)}`),
        onResult: (name, problems, ms) => {
          count(`${lab.chapter}  ${runtime.kind}  ${name}`, problems, ms)
          if (problems.length > 0) failed.push(`${id}/${name.split(' ').at(-1)}`)
        },
      }),
    )
    withdraw()
  }
  if (leftOut.length > 0)
    console.log(
      `NOT PROVED, the ${values.minutes} minutes were over: ${leftOut.length} mutants and variants: ${leftOut.join(' ')}`,
    )
  // Layout, types and pages are no programs: nothing but all of it proves those again.
  if (total.failed > 0 && failed.length === total.failed) console.log(`failed: ${failed.join(' ')}`)
  console.log(`${total.passed} passed, ${total.failed} failed`)
  return total.failed > 0 ? 1 : 0
}

async function chosen(names: string[]): Promise<Lab[] | undefined> {
  if (names.length === 0) return allLabs()
  const found = await Promise.all(names.map(findLab))
  const missing = names.filter((_, i) => !found[i])
  for (const name of missing)
    console.error(`There is no lab ${name}. The labs: ${(await allLabs()).map((l) => l.chapter).join(', ')}`)
  return missing.length > 0 ? undefined : (found as Lab[])
}

/** Pages are checked by the site's own code, where it is there. */
async function pages(): Promise<string[]> {
  const file = join(ROOT, 'site/check-pages.ts')
  if (!existsSync(file)) return []
  const { checkPages } = (await import(file)) as { checkPages: (root: string) => Promise<string[]> }
  return checkPages(ROOT)
}
