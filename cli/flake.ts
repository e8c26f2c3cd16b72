import { parseArgs } from 'node:util'
import { findLab } from '#grader/labs'
import { overlaySubject, resolveSubject } from '#grader/subject'
import { withRun } from '#grader/run-lock'
import { sweepLeftovers } from './life.ts'
import { findRuntime, openGrader } from './session.ts'
import { Worker } from 'node:worker_threads'
import { join } from 'node:path'

/**
 * `npm run flake NN [times]`: runs a lab's solution again and again with one core kept busy. A run that is not green ends
 * it with the seed that shows it. Authors read English, so its words are English only.
 */
export async function flake(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      variant: { type: 'string' },
      quiet: { type: 'boolean', default: false },
      lang: { type: 'string' },
    },
  })
  const [name = '', times = '30'] = positionals
  const lab = await findLab(name)
  if (!lab) {
    console.error(`There is no lab "${name}". Give the number of a lab: npm run flake 02 50`)
    return 2
  }
  await sweepLeftovers('en', console.log)
  const runtime = await findRuntime('en', { now: () => {} })
  const subject = values.variant
    ? await overlaySubject(lab, join(lab.checks, 'variants', values.variant), `variant ${values.variant}`)
    : await resolveSubject(lab, 'solution')
  // A spinning thread: what the tests wait for comes later and in another order than on an idle machine.
  const busy = values.quiet ? undefined : new Worker('for (;;) {}', { eval: true })
  const { grader, close } = await openGrader(lab, runtime)
  const durations: number[] = []
  let failed = 0
  try {
    for (let i = 1; i <= Number(times); i++) {
      const verdict = await withRun({ command: 'npm run flake' }, () => grader.run({ subject }))
      if (grader.cancelled) break
      durations.push(verdict.durationMs)
      const bad = verdict.steps.filter((step) => step.outcome !== 'pass')
      if (bad.length > 0) failed++
      if (i % 10 === 0) console.log(`${i} runs, ${failed} failed`)
      if (bad.length === 0) continue
      console.log(`run ${i}, seed ${verdict.seed}:`)
      for (const { id, outcome, failure } of bad) {
        console.log(`  ${id} ${outcome}: ${failure?.test.en}\n    when ${failure?.when.en}`)
        console.log(`    expected ${failure?.expected.en}\n    observed ${failure?.observed.en}`)
      }
    }
  } finally {
    await busy?.terminate()
    await close()
  }
  const median = durations.toSorted((a, b) => a - b)[durations.length >> 1]
  console.log(
    `${lab.chapter} ${subject.name} on ${runtime.kind}: median ${median} ms, longest ${Math.max(...durations)} ms`,
  )
  console.log(`${durations.length - failed} passed, ${failed} failed`)
  return failed > 0 ? 1 : 0
}
