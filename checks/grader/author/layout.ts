import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve, dirname } from 'node:path'
import type { Text } from '#harness/text'
import type { Lab } from '../labs.ts'

/** A lab's folders hold what they must and nothing else. Returns what is wrong, a line each. */
export function checkLayout(lab: Lab): string[] {
  return [...checkManifest(lab), ...checkFolders(lab), ...checkImports(lab), ...checkStarter(lab)]
}

/** Mutants or variants of a lab: the names of their folders. */
export function programs(lab: Lab, kind: 'mutants' | 'variants'): string[] {
  const dir = join(lab.checks, kind)
  return existsSync(dir)
    ? readdirSync(dir)
        .filter((name) => statSync(join(dir, name)).isDirectory())
        .toSorted()
    : []
}

/** The rung of the ladder that a mutant's learner must see: 2, unless the folder's `mutant.json` says which. */
export function expectedHint(lab: Lab, mutant: string): number {
  const file = join(lab.checks, 'mutants', mutant, 'mutant.json')
  if (!existsSync(file)) return 2
  return (JSON.parse(readFileSync(file, 'utf8')) as { hint?: number }).hint ?? 2
}

/** The step that must reject a mutant: its folder is `<step-id>--<the-mistake>`. */
export function stepOfMutant(mutant: string): string {
  return mutant.split('--')[0]!
}

function checkManifest({ spec, chapter }: Lab): string[] {
  const problems: string[] = []
  const ids = spec.steps.map((step) => step.id)
  if (new Set(ids).size < ids.length) problems.push(`step ids are not unique: ${ids.join(', ')}`)
  const points = spec.steps.reduce((sum, step) => sum + step.points, 0)
  if (points !== 100) problems.push(`the points of all steps add up to ${points}, not 100`)
  if (!/^\d\d-[a-z\d]+(-[a-z\d]+)*$/.test(chapter))
    problems.push(`the folder's name ${chapter} is not NN-kebab-case`)
  for (const step of spec.steps) {
    if (!/^[a-z][a-z\d-]*$/.test(step.id)) problems.push(`step id ${step.id} is not kebab-case`)
    const texts: [string, Text][] = [
      ['title', step.title],
      ...step.hints.map((hint, i): [string, Text] => [`hint ${i + 1}`, hint]),
    ]
    for (const [what, text] of texts) {
      if (!text.en.trim() || !text.ja.trim()) problems.push(`${step.id}: ${what} lacks a language`)
      else if (text.en === text.ja && /\s/.test(text.en))
        problems.push(`${step.id}: ${what} is the same in both languages`)
    }
  }
  return problems
}

function checkFolders(lab: Lab): string[] {
  const problems: string[] = []
  const ids = new Set(lab.spec.steps.map((step) => step.id))
  const expect = (dir: string, allowed: RegExp): void => {
    for (const name of listing(dir)) {
      if (!allowed.test(name)) problems.push(`unexpected file: ${relative(process.cwd(), join(dir, name))}`)
    }
  }
  expect(lab.dir, /^(lab\.ts|data(\.[\w-]+)?\.sql|starter|tests)$/)
  expect(join(lab.dir, 'tests'), /\.ts$/)
  expect(lab.checks, /^([\w-]+\.check\.ts|[\w-]+\.ts|mutants|variants|golden)$/)
  for (const name of [...listing(join(lab.dir, 'tests')), ...listing(lab.checks)]) {
    const step = /^(.*)\.(test|check)\.ts$/.exec(name)?.[1]
    if (step && !ids.has(step)) problems.push(`${name} belongs to no step`)
  }
  for (const step of lab.spec.steps) {
    if (!existsSync(join(lab.dir, 'tests', `${step.id}.test.ts`))) problems.push(`${step.id}: no red tests`)
    if (!existsSync(join(lab.checks, `${step.id}.check.ts`))) problems.push(`${step.id}: no hidden checks`)
    const rejected = programs(lab, 'mutants').some((mutant) => stepOfMutant(mutant) === step.id)
    if (!rejected && step.guard) problems.push(`${step.id}: a guard, and no mutant fails it`)
  }
  for (const mutant of programs(lab, 'mutants')) {
    if (!ids.has(stepOfMutant(mutant)) || !mutant.includes('--'))
      problems.push(`mutant ${mutant}: not <step-id>--<the-mistake>`)
    problems.push(...onlyChangedFiles(lab, 'mutants', mutant))
  }
  for (const role of lab.spec.roles) {
    for (const dir of [lab.starter, lab.solution]) {
      if (!existsSync(join(dir, 'src', `${role}.ts`)))
        problems.push(`${relative(process.cwd(), dir)} has no src/${role}.ts`)
    }
  }
  for (const file of filesOf(lab.starter)) {
    if (!existsSync(join(lab.solution, file))) problems.push(`the solution lacks the starter's ${file}`)
  }
  return problems
}

/** A mutant holds what differs from the solution, so that a reader sees the mistake and nothing else. */
function onlyChangedFiles(lab: Lab, kind: 'mutants' | 'variants', name: string): string[] {
  const dir = join(lab.checks, kind, name)
  return filesOf(dir).flatMap((file) => {
    const original = join(lab.solution, file)
    const same =
      existsSync(original) && readFileSync(original, 'utf8') === readFileSync(join(dir, file), 'utf8')
    return same ? [`${kind}/${name}/${file} is the same as the solution's`] : []
  })
}

/** A learner can lift starter and solution out, and they run: only npm packages and files of their own. */
function checkImports(lab: Lab): string[] {
  return [lab.starter, lab.solution].flatMap((dir) =>
    filesOf(dir)
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) =>
        [...readFileSync(join(dir, file), 'utf8').matchAll(/from '([^']+)'/g)]
          .map((match) => match[1]!)
          .filter((name) => name.startsWith('#') || (name.startsWith('.') && leaves(dir, file, name)))
          .map((name) => `${relative(process.cwd(), join(dir, file))} imports ${name}`),
      ),
  )
}

function checkStarter(lab: Lab): string[] {
  const text = filesOf(lab.starter)
    .map((file) => readFileSync(join(lab.starter, file), 'utf8'))
    .join('\n')
  return lab.spec.steps
    .filter((step) => !step.guard && !text.includes(`TODO(${step.id})`))
    .map((step) => `the starter has no TODO(${step.id}) where the work begins`)
}

function leaves(dir: string, file: string, name: string): boolean {
  return relative(dir, resolve(dir, dirname(file), name)).startsWith('..')
}

function listing(dir: string): string[] {
  return existsSync(dir) ? readdirSync(dir) : []
}

/** Paths of all files below, relative to it. */
export function filesOf(dir: string): string[] {
  return listing(dir).flatMap((name) => {
    const path = join(dir, name)
    return statSync(path).isDirectory() ? filesOf(path).map((file) => join(name, file)) : [name]
  })
}
