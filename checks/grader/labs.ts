import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LabSpec, StepSpec } from '#harness/lab'
import { ROOT, WORKSPACE } from '#harness/paths'

/** A lab of this clone: its manifest and where its parts stand. */
export interface Lab {
  /** Permanent id, `dual-servers`. */
  id: string
  /** `02-dual-servers` */
  chapter: string
  number: number
  spec: LabSpec
  dir: string
  starter: string
  solution: string
  workspace: string
  checks: string
}

/** Where labs stand. Tests of the tools bring small labs of their own. */
const LABS = process.env.WORKBOOK_LABS ?? ROOT

/** All finished labs in the order of their chapters. A lab is found by its folder: there is no list. */
export async function allLabs(): Promise<Lab[]> {
  return (await everyLab()).filter((lab) => !lab.spec.draft)
}

/** Labs that are not finished: their chapters are shown as coming. */
export async function draftLabs(): Promise<Lab[]> {
  return (await everyLab()).filter((lab) => lab.spec.draft)
}

async function everyLab(): Promise<Lab[]> {
  const folders = readdirSync(join(LABS, 'labs')).filter((name) =>
    existsSync(join(LABS, 'labs', name, 'lab.ts')),
  )
  return Promise.all(folders.toSorted().map(loadLab))
}

/** The lab that `name` means: `06`, `6`, `06-read-write-splitting` or its id. */
export async function findLab(name: string): Promise<Lab | undefined> {
  const labs = await everyLab()
  return labs.find(
    (lab) => lab.chapter === name || lab.id === name || (/^\d+$/.test(name) && lab.number === Number(name)),
  )
}

async function loadLab(chapter: string): Promise<Lab> {
  const dir = join(LABS, 'labs', chapter)
  const { default: spec } = (await import(join(dir, 'lab.ts'))) as { default: LabSpec }
  return {
    id: chapter.replace(/^\d+-/, ''),
    number: Number.parseInt(chapter, 10),
    chapter,
    spec,
    dir,
    starter: join(dir, 'starter'),
    solution: join(LABS, 'solutions', chapter),
    workspace: join(WORKSPACE, chapter),
    checks: join(LABS, 'checks', chapter),
  }
}

export function stepOfLab(lab: Lab, id: string): StepSpec | undefined {
  return lab.spec.steps.find((step) => step.id === id)
}

/** The step's test files: red tests first. */
export function testFiles(lab: Lab, step: string): { kind: 'red' | 'check'; file: string }[] {
  return [
    { kind: 'red' as const, file: join(lab.dir, 'tests', `${step}.test.ts`) },
    { kind: 'check' as const, file: join(lab.checks, `${step}.check.ts`) },
  ].filter(({ file }) => existsSync(file))
}

/** Hash of all that decides a verdict: manifest, data, tests, checks. */
export function labVersion(lab: Lab): string {
  const hash = createHash('sha256')
  for (const [name, content] of filesOfLab(lab)) hash.update(name).update(content)
  return hash.digest('hex').slice(0, 12)
}

/** All that decides a verdict, by its path in the clone. */
export function filesOfLab(lab: Lab): Map<string, Buffer> {
  const files = [...filesBelow(lab.dir, /starter/), ...filesBelow(lab.checks, /mutants|variants|golden/)]
  return new Map(files.map((file) => [file.slice(LABS.length), readFileSync(file)]))
}

function filesBelow(dir: string, except: RegExp): string[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { withFileTypes: true })
    .filter(({ name }) => !except.test(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(dir, entry.name)
      if (entry.isDirectory()) return filesBelow(path, except)
      return entry.isFile() ? [path] : []
    })
}
