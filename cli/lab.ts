import { parseArgs } from 'node:util'
import type { Language } from '#harness/text'
import { allLabs, type Lab } from '#grader/labs'
import { isGreen, readProgress, reopenChanged, surrender } from '#grader/progress'
import type { StepVerdict } from '#grader/verdict'
import { namedLab, seedOf } from './check.ts'
import { renderComparison } from './lab/compare.ts'
import { readKeys } from './lab/keys.ts'
import { LabLoop, type Wish } from './lab/loop.ts'
import { LAB } from './lab/messages.ts'
import { plain } from './lab/plain.ts'
import { remembered } from './lab/remembered.ts'
import { screen } from './lab/screen.ts'
import type { LabState } from './lab/state.ts'
import { filesToEdit, makeWorkspace, resetWorkspace } from './lab/workspace.ts'
import { language } from './language.ts'
import { sweepLeftovers } from './life.ts'
import { MESSAGES } from './messages.ts'
import { findRuntime, openGrader } from './session.ts'
import { terminal, working } from './terminal.ts'
import { UsageError } from './usage.ts'

/** `npm run lab [NN]`: the learner's loop, red to green at every save. `reset NN` begins a lab anew. */
export async function lab(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      seed: { type: 'string' },
      surrender: { type: 'boolean', default: false },
      lang: { type: 'string' },
    },
  })
  const lang = language(values.lang)
  const seed = seedOf(values.seed)
  const all = await allLabs()
  if (positionals[0] === 'reset') return reset(await resettable(positionals.slice(1), all), lang)
  if (positionals.length > 1) throw new UsageError(LAB.oneLab)
  let current = positionals[0] ? await namedLab(positionals[0], all) : await firstOpen(all)
  if (!current) {
    console.log(LAB.allGreen[lang])
    return 0
  }
  if (values.surrender) return giveUp(current, lang)
  await sweepLeftovers(lang, (line) => process.stderr.write(`${line}\n`))
  const notices = (await reopenChanged(all)).notices.map((text) => text[lang])
  for (;;) {
    const next = all[all.indexOf(all.find((one) => one.id === current!.id)!) + 1]
    const wish = await workOn(current, { lang, seed, notices, next })
    if (wish === 'quit' || !next) {
      console.log(LAB.left(current.chapter.slice(0, 2))[lang])
      return 0
    }
    current = next
  }
}

async function firstOpen(all: Lab[]): Promise<Lab | undefined> {
  const { progress } = await readProgress()
  return all.find((one) => !isGreen(one, progress))
}

async function resettable([name, ...more]: string[], all: Lab[]): Promise<Lab> {
  if (!name || more.length > 0) throw new UsageError(LAB.twoWords)
  return namedLab(name, all)
}

function reset(which: Lab, lang: Language): number {
  const kept = resetWorkspace(which)
  console.log((kept ? LAB.reset(which.chapter, kept) : LAB.resetNothing(which.chapter))[lang])
  console.log(LAB.goOn(which.chapter.slice(0, 2))[lang])
  return 0
}

/** Shows the way to the solution and remembers that it was shown. */
async function giveUp(which: Lab, lang: Language): Promise<number> {
  makeWorkspace(which)
  const { notices } = await surrender(which.id)
  for (const notice of notices) process.stderr.write(`${notice[lang]}\n`)
  console.log(renderComparison(which, lang, terminal()).join('\n'))
  return 0
}

interface Session {
  lang: Language
  seed: number | undefined
  notices: string[]
  next: Lab | undefined
}

/** One lab from its start to the learner's wish for something else. */
async function workOn(which: Lab, session: Session): Promise<Wish> {
  const made = makeWorkspace(which)
  const { runtime, grader, close } = await bringUp(which, session.lang)
  const state = await firstState(which, runtime, session)
  if (made) state.notices.push(LAB.made(which.chapter, filesToEdit(which))[session.lang])
  const display = terminal().rewrites ? screen() : plain()
  const loop = new LabLoop(state, grader, display, session.seed)
  const release = readKeys(
    (key) => loop.press(key),
    () => display.show(state, { type: 'view' }),
  )
  try {
    return await loop.watch()
  } finally {
    release()
    display.close()
    await close()
  }
}

/** Runtime, servers and test runner, with a line that says what takes so long. */
async function bringUp(which: Lab, lang: Language) {
  const progress = working(MESSAGES.looking[lang])
  try {
    const runtime = await findRuntime(lang, progress)
    const line = MESSAGES.runtime(runtime.kind, runtime.why)[lang]
    progress.line(line, process.stdout)
    progress.now(MESSAGES.starting(Object.keys(which.spec.topology))[lang])
    return { runtime: line, ...(await openGrader(which, runtime)) }
  } finally {
    progress.done()
  }
}

async function firstState(which: Lab, runtime: string, { lang, notices, next }: Session): Promise<LabState> {
  const { opened, surrendered, passed } = await remembered(which)
  return {
    lab: which,
    lang,
    next: next?.chapter.slice(0, 2),
    runtime,
    phase: { kind: 'idle' },
    rows: which.spec.steps.map((step) => blank(step)),
    verdict: undefined,
    notices: [...notices],
    message: '',
    view: 'main',
    opened,
    passed: new Set(passed),
    maySeeSolution: surrendered,
  }
}

function blank({ id, title, points, guard, section }: Lab['spec']['steps'][number]): StepVerdict {
  return {
    id,
    title,
    points,
    guard: guard === true,
    section: section ?? id,
    outcome: 'not-run',
    durationMs: 0,
    tests: [],
  }
}
