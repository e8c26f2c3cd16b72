import { join } from 'node:path'
import type { Runtime } from '#harness/runtime/runtime'
import { Grader } from '../grader.ts'
import { LANES_OF_AUTHORS } from '../lane.ts'
import type { Lab } from '../labs.ts'
import { overlaySubject, resolveSubject, type Subject } from '../subject.ts'
import type { StepVerdict, Verdict } from '../verdict.ts'
import { checkGolden } from './golden.ts'
import { expectedHint, programs, stepOfMutant } from './layout.ts'

export interface GateOptions {
  /** Leave out mutants and variants, one seed: what `npm test` does. */
  fast: boolean
  /** What `fast` leaves out, and nothing else. */
  rest: boolean
  /** Write the golden transcripts instead of comparing. */
  update: boolean
  /** Run a mutant's own step alone, and the solution on one seed: takes a third of the time. */
  own: boolean
  /** Only mutants and variants whose name holds this text. */
  only?: string
  /** Only these programs, whatever the other options leave out: `starter`, `solution`, a mutant, a variant. */
  programs?: readonly string[]
  /** When mutants and variants that have not begun are left out, epoch milliseconds: for machines that are too slow. */
  until?: number
  /** How many times the lab's budget the solution may take: the budget is for a quiet machine. */
  slack: number
  onResult: (name: string, problems: string[], ms: number) => void
  onLeftOut: (name: string) => void
}

const SEEDS = [1, 2, 3]
const DAY_MS = 86_400_000
/** A prime above the number of a lab's mutants: day by day each of them comes first once. */
const STRIDE = 97
const lanes = LANES_OF_AUTHORS

/** Runs every program of a lab and holds it to what it must do. Returns how many did. */
export async function runGate(
  lab: Lab,
  runtime: Runtime,
  options: GateOptions,
): Promise<{ passed: number; failed: number }> {
  const grader = await Grader.open(lab, runtime)
  const tally = { passed: 0, failed: 0 }
  const prove = async (name: string, program: () => Promise<string[]>): Promise<void> => {
    const begun = performance.now()
    const problems = await program().catch((error: Error) => [error.stack ?? error.message])
    tally[problems.length > 0 ? 'failed' : 'passed']++
    options.onResult(name, problems, Math.round(performance.now() - begun))
  }
  try {
    if (isChosen('starter', !options.rest, options))
      await prove('starter', () => proveStarter(grader, options))
    if (isChosen('solution', !options.rest, options))
      await prove('solution', () => proveSolution(grader, options))
    const whileThereIsTime = async (name: string, program: () => Promise<string[]>): Promise<void> => {
      if (options.until && Date.now() > options.until) options.onLeftOut(name)
      else await prove(name, program)
    }
    for (const name of fromToday(chosen(lab, 'variants', options)))
      await whileThereIsTime(`variant ${name}`, () => proveVariant(grader, name))
    for (const name of fromToday(chosen(lab, 'mutants', options)))
      await whileThereIsTime(`mutant ${name}`, () => proveMutant(grader, name, options))
  } finally {
    await grader.close()
  }
  return tally
}

function isChosen(program: string, otherwise: boolean, { programs }: GateOptions): boolean {
  return programs ? programs.includes(program) : otherwise
}

function chosen(lab: Lab, kind: 'mutants' | 'variants', options: GateOptions): string[] {
  const { fast, only = '' } = options
  return programs(lab, kind).filter((name) => isChosen(name, !fast && name.includes(only), options))
}

/** Begins elsewhere each day, so that where time is short it is not always the last ones that are left out. */
function fromToday(names: string[]): string[] {
  const first = (STRIDE * Math.floor(Date.now() / DAY_MS)) % Math.max(1, names.length)
  return [...names.slice(first), ...names.slice(0, first)]
}

/** Guards pass; every other step fails, by an assertion and not by an accident. */
async function proveStarter(grader: Grader, options: GateOptions): Promise<string[]> {
  const verdict = await grader.run({
    subject: await resolveSubject(grader.lab, 'starter'),
    seed: SEEDS[0],
    lanes,
  })
  const problems = verdict.steps.flatMap((step) => {
    const wanted = step.guard ? 'pass' : 'fail'
    return step.outcome === wanted ? [] : [`${step.id} must ${wanted} on the starter: ${told(step)}`]
  })
  return [
    ...problems,
    ...checkGolden(grader.lab, verdict, {
      program: 'starter',
      update: options.update && problems.length === 0,
    }),
  ]
}

async function proveSolution(grader: Grader, { fast, own, slack, update }: GateOptions): Promise<string[]> {
  const { lab } = grader
  const problems: string[] = []
  let best = Number.POSITIVE_INFINITY
  let verdict: Verdict | undefined
  for (const seed of fast || own ? SEEDS.slice(0, 1) : SEEDS) {
    verdict = await grader.run({ subject: await resolveSubject(lab, 'solution'), seed, lanes })
    best = Math.min(best, verdict.durationMs)
    problems.push(...notPassed(verdict))
  }
  // One cold run says nothing about the time that a learner waits.
  if (!fast && grader.runtime.kind === 'native' && best > lab.spec.budget * slack) {
    problems.push(
      `took ${best} ms at best, the budget is ${lab.spec.budget} ms${slack === 1 ? '' : ` × ${slack}`}`,
    )
  }
  return [
    ...problems,
    ...checkGolden(lab, verdict!, { program: 'solution', update: update && problems.length === 0 }),
  ]
}

async function proveVariant(grader: Grader, name: string): Promise<string[]> {
  return notPassed(
    await grader.run({ subject: await overlay(grader.lab, 'variants', name), seed: SEEDS[0], lanes }),
  )
}

/** It must fall at the step in its name, by the learner's fault, with the right hint, and pass all steps before. */
async function proveMutant(grader: Grader, name: string, { own, update }: GateOptions): Promise<string[]> {
  const { lab } = grader
  const step = stepOfMutant(name)
  const ids = lab.spec.steps.map((s) => s.id)
  const order = own ? [step] : ids.slice(0, ids.indexOf(step) + 1)
  const subject = await overlay(lab, 'mutants', name)
  const verdict = await grader.run({ subject, seed: SEEDS[0], order, stopAtFailure: true, lanes })
  const problems = verdict.steps
    .filter((s) => order.includes(s.id) && s.id !== step && s.outcome !== 'pass')
    .map((s) => `must pass ${s.id}, which comes before: ${told(s)}`)
  const fallen = verdict.steps.find((s) => s.id === step)!
  if (fallen.outcome !== 'fail') problems.push(`must fail ${step}: ${told(fallen)}`)
  const hint = expectedHint(lab, name)
  if (fallen.failure && fallen.failure.hint !== hint) {
    problems.push(`its learner must see hint ${hint}, not ${fallen.failure.hint}: ${told(fallen)}`)
  }
  // Elsewhere a server may answer later, and another of the step's tests be the first to fail.
  if (grader.runtime.kind !== 'native') return problems
  return [
    ...problems,
    ...checkGolden(lab, verdict, {
      program: name,
      failureOnly: true,
      update: update && problems.length === 0,
    }),
  ]
}

function overlay(lab: Lab, kind: 'mutants' | 'variants', name: string): Promise<Subject> {
  return overlaySubject(lab, join(lab.checks, kind, name), `${kind.slice(0, -1)} ${name}`)
}

function notPassed(verdict: Verdict): string[] {
  return verdict.steps
    .filter((step) => step.outcome !== 'pass')
    .map((step) => `must pass ${step.id} (seed ${verdict.seed}): ${told(step)}`)
}

function told({ outcome, failure }: StepVerdict): string {
  if (!failure) return outcome
  const lines = [
    `when ${failure.when.en}`,
    `expected ${failure.expected.en}`,
    `observed ${failure.observed.en}`,
  ]
  const logs = failure.logs.flatMap(({ role, lines: log }) => log.slice(-3).map((line) => `${role}: ${line}`))
  return [
    `${outcome} in "${failure.test.en}"`,
    ...lines,
    ...(failure.stack ? [failure.stack] : []),
    ...logs,
  ].join('\n      ')
}
