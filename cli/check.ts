import { existsSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type { Runtime } from '#harness/runtime/runtime'
import type { Language } from '#harness/text'
import { allLabs, findLab, type Lab } from '#grader/labs'
import { recordVerdict, reopenChanged } from '#grader/progress'
import { renderJunit } from '#grader/report/junit'
import { renderVerdict } from '#grader/report/text'
import { withRun } from '#grader/run-lock'
import { resolveSubject, stageSubject } from '#grader/subject'
import { EXIT_STATUS, type Verdict } from '#grader/verdict'
import { language } from './language.ts'
import { end, INTERRUPTED, sweepLeftovers } from './life.ts'
import { MESSAGES } from './messages.ts'
import { findRuntime, openGrader } from './session.ts'
import { terminal, working, type Working } from './terminal.ts'
import { UsageError } from './usage.ts'

interface Wanted {
  lang: Language
  labs: Lab[]
  subject: string
  steps: string[] | undefined
  seed: number | undefined
  all: boolean
  json: boolean
  junit: string | undefined
  command: string
}

/** `npm run check [NN …]`: grades labs with red tests and hidden checks, on a copy of the subject. */
export async function check(args: string[]): Promise<number> {
  const wanted = await understand(args)
  const { lang, json, junit } = wanted
  await sweepLeftovers(lang, note)
  if (wanted.subject === 'workspace') for (const line of await notices(wanted)) note(line)
  const quiet = json || junit === '-'
  const verdicts: Verdict[] = []
  let runtime: Runtime | undefined
  for (const lab of wanted.labs) {
    const progress = working(MESSAGES.looking[lang])
    try {
      // A grader closes its runtime: the next lab gets a new one, chosen for the same reason.
      runtime = await findRuntime(lang, progress)
      if (verdicts.length === 0) tellRuntime(runtime, lang, progress, quiet)
      verdicts.push(await grade(lab, runtime, wanted, progress))
    } finally {
      progress.done()
    }
    if (!quiet) print(verdicts.at(-1)!, wanted, verdicts.length === 1)
  }
  if (verdicts.length > 1 && !quiet) printTotal(verdicts, lang)
  const one = wanted.labs.length === 1 && namedOne(args)
  if (json) process.stdout.write(`${JSON.stringify(one ? verdicts[0] : verdicts, null, 2)}\n`)
  if (junit === '-') process.stdout.write(renderJunit(verdicts, lang))
  else if (junit) writeFileSync(resolve(junit), renderJunit(verdicts, lang))
  return exitStatus(verdicts)
}

async function understand(args: string[]): Promise<Wanted> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      subject: { type: 'string', default: 'workspace' },
      json: { type: 'boolean', default: false },
      junit: { type: 'string' },
      seed: { type: 'string' },
      steps: { type: 'string' },
      all: { type: 'boolean', default: false },
      lang: { type: 'string' },
    },
  })
  if (values.json && values.junit === '-') throw new UsageError(MESSAGES.twoOutputs)
  const labs = await chooseLabs(positionals, values.subject)
  const steps = values.steps
    ?.split(',')
    .map((step) => step.trim())
    .filter(Boolean)
  for (const lab of labs) {
    const ids = lab.spec.steps.map((step) => step.id)
    const missing = steps?.find((step) => !ids.includes(step))
    if (missing) throw new UsageError(MESSAGES.noStep(missing, lab.chapter, ids))
  }
  return {
    ...values,
    lang: language(values.lang),
    labs,
    steps,
    seed: seedOf(values.seed),
    junit: values.junit,
    command: ['npm run check', ...positionals].join(' '),
  }
}

/** `--seed`, a whole number. */
export function seedOf(value: string | undefined): number | undefined {
  if (value === undefined) return undefined
  const seed = Number(value)
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(seed)) throw new UsageError(MESSAGES.badSeed(value))
  return seed
}

/** The labs that were named; without a name all that have a workspace. */
async function chooseLabs(names: string[], subject: string): Promise<Lab[]> {
  const all = await allLabs()
  if (names.length > 0) return Promise.all(names.map((name) => namedLab(name, all)))
  const begun = subject === 'workspace' ? all.filter((lab) => existsSync(lab.workspace)) : all
  if (begun.length === 0) throw new UsageError(MESSAGES.nothingBegun)
  return begun
}

/** @throws UsageError with the labs that there are */
export async function namedLab(name: string, all: Lab[]): Promise<Lab> {
  const lab = await findLab(name)
  if (lab) return lab
  throw new UsageError(
    MESSAGES.noLab(
      name,
      all.map(({ chapter }) => chapter),
    ),
  )
}

/** With one lab named, `--json` is its verdict; else a list, however many there are. */
function namedOne(args: string[]): boolean {
  return parseArgs({ args, strict: false, allowPositionals: true }).positionals.length > 0
}

async function grade(lab: Lab, runtime: Runtime, wanted: Wanted, progress: Working): Promise<Verdict> {
  const { lang, steps, seed, command } = wanted
  const found = await resolveSubject(lab, wanted.subject)
  const subject = await stageSubject(lab, found)
  const onWait = (holder: Parameters<typeof MESSAGES.busy>[0]): void =>
    progress.now(MESSAGES.busy(holder)[lang])
  return withRun({ command, onWait }, async () => {
    progress.now(MESSAGES.starting(Object.keys(lab.spec.topology))[lang])
    const { grader, close } = await openGrader(lab, runtime)
    try {
      const done: string[] = []
      const show = (): void =>
        progress.now(
          `${MESSAGES.checking(lab.chapter)[lang]} (${done.length}/${(steps ?? lab.spec.steps).length})`,
        )
      show()
      const verdict = await grader.run({
        subject,
        ...(steps && { order: steps }),
        ...(seed !== undefined && { seed }),
        onStep: ({ id }) => {
          if (grader.cancelled) return
          done.push(id)
          show()
        },
      })
      // Nobody cancels a check but a signal.
      if (grader.cancelled) return await end(INTERRUPTED)
      const known = await recordVerdict(verdict)
      for (const notice of known.notices) note(notice[lang])
      return verdict
    } finally {
      await close()
    }
  })
}

async function notices({ labs, lang }: Wanted): Promise<string[]> {
  const known = await reopenChanged(labs)
  const own = labs
    .filter((lab) => existsSync(join(lab.workspace, 'tests')))
    .map((lab) => MESSAGES.ownTests(lab.chapter))
  return [...known.notices, ...own].map((text) => text[lang])
}

function tellRuntime(runtime: Runtime, lang: Language, progress: Working, quiet: boolean): void {
  const line = MESSAGES.runtime(runtime.kind, runtime.why)[lang]
  progress.line(line, quiet ? process.stderr : process.stdout)
}

function print(verdict: Verdict, { lang, all }: Wanted, first: boolean): void {
  const failures = all ? 'all' : 'first'
  const lines = renderVerdict(verdict, lang, { ...terminal(), failures })
  process.stdout.write(`${first ? '' : '\n'}${lines.join('\n')}\n`)
}

function printTotal(verdicts: Verdict[], lang: Language): void {
  const earned = verdicts.reduce((sum, { points }) => sum + points.earned, 0)
  const possible = verdicts.reduce((sum, { points }) => sum + points.possible, 0)
  process.stdout.write(`\n${MESSAGES.total(earned, possible, verdicts.length)[lang]}\n`)
}

/** The worst of what was asked for: what is certain comes before what could not be decided. */
function exitStatus(verdicts: Verdict[]): number {
  const worst = (['fail', 'error', 'unknown'] as const).find((status) =>
    verdicts.some((v) => v.status === status),
  )
  return EXIT_STATUS[worst ?? 'pass']
}

/** A remark beside the result: never on stdout, which may be read by a machine. */
function note(line: string): void {
  process.stderr.write(`${line}\n`)
}
