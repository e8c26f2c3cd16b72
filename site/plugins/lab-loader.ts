import { basename, dirname, join } from 'node:path'
import type { StepSpec } from '../../harness/lab.ts'
import type { Language, Text } from '../../harness/text.ts'
import { readLab } from './labs.ts'

/** A lab's manifest as its own page needs it: everything of its steps in one language. */
export interface PageLab {
  slug: string
  id: string
  title: string
  steps: PageStep[]
  points: number
}

export interface PageStep {
  id: string
  title: string
  points: number
  guard: boolean
  section: string
  hints: string[]
}

interface LoaderContext {
  resourcePath: string
  getOptions(): { language: Language; root: string }
  addDependency(file: string): void
}

/** Bundler loader: `labs/NN-slug/lab.ts` as data for the chapter's page. */
export default async function labLoader(this: LoaderContext): Promise<string> {
  const { language, root } = this.getOptions()
  this.addDependency(join(root, 'harness/lab.ts'))
  const slug = basename(dirname(this.resourcePath))
  const lab = await readLab(root, slug)
  if (!lab) throw new Error(`labs/${slug}/lab.ts is missing`)
  const steps = lab.steps.map((step) => toPage(step, language))
  const page: PageLab = {
    slug,
    id: slug.slice(3),
    title: lab.title[language],
    steps,
    points: steps.reduce((sum, s) => sum + s.points, 0),
  }
  return `export default ${JSON.stringify(page)}`
}

function toPage(step: StepSpec, language: Language): PageStep {
  return {
    id: step.id,
    title: step.title[language],
    points: step.points,
    guard: step.guard ?? false,
    section: step.section ?? step.id,
    hints: step.hints.map((hint: Text) => hint[language]),
  }
}
