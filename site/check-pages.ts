import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { chapterDiagrams } from './draw.ts'
import { fullWidth } from './japanese.ts'
import { parseMeta } from './plugins/fence-meta.ts'
import { diagramSize } from './plugins/diagram-file.ts'
import { isDraft, labFolders, readLab } from './plugins/labs.ts'

const ENGLISH = 'site/chapters'
const JAPANESE = 'site/i18n/ja/docusaurus-plugin-content-docs/current'
/** Sections of every chapter, in this order. */
const ORDER = ['problem', 'idea', 'play', 'red', 'green', 'measure', 'production', 'quiz', 'next']
/** Languages of code that must come from a file: it would have to run. */
const PROGRAMS = new Set(['ts', 'tsx', 'js', 'jsx', 'typescript', 'javascript'])
const SENTENCE = /[\u3040-\u30ff\u4e00-\u9fff]/

interface Heading {
  depth: number
  text: string
  id: string | undefined
  line: number
}

interface Fence {
  language: string
  meta: string
  body: string
  line: number
}

interface Page {
  name: string
  text: string
  headings: Heading[]
  fences: Fence[]
}

/** What is wrong with the chapters' pages, one sentence each; nothing if all is well. Part of `npm run author`. */
export async function checkPages(root: string): Promise<string[]> {
  const [english, japanese] = [pages(root, ENGLISH), pages(root, JAPANESE)]
  const problems = [...missingTwins(english, japanese), ...missingTwins(japanese, english)]
  for (const page of [...english, ...japanese]) problems.push(...checkPage(page))
  for (const page of english) {
    const twin = japanese.find(({ name }) => name === page.name)
    if (twin) problems.push(...compare(page, twin))
    problems.push(...(await checkSteps(root, page)))
  }
  for (const page of japanese) problems.push(...checkJapanese(page))
  for (const [name, source] of await chapterDiagrams(root, { drafts: false })) {
    if (!diagramSize(root, name))
      problems.push(`a diagram is not drawn (${source.trim().split('\n')[0]} …): npm run site draw`)
  }
  return [...problems, ...themeTexts(root)]
}

function pages(root: string, folder: string): Page[] {
  const path = join(root, folder)
  const files = existsSync(path) ? readdirSync(path).filter((file) => file.endsWith('.mdx')) : []
  const whole = files.filter((file) => !isDraft(root, file.replace('.mdx', '')))
  return whole.map((file) =>
    parsePage(`${folder}/${file}`, file.replace('.mdx', ''), readFileSync(join(path, file), 'utf8')),
  )
}

/** Headings and fences of a page. */
export function parsePage(_path: string, name: string, text: string): Page {
  const headings: Heading[] = []
  const fences: Fence[] = []
  let open: Fence | undefined
  for (const [i, line] of text.split('\n').entries()) {
    const fence = /^\s*```(\w*)\s*(.*)$/.exec(line)
    if (open) {
      if (fence) open = void fences.push(open)
      else open.body += `${line}\n`
    } else if (fence) {
      open = { language: fence[1] ?? '', meta: fence[2] ?? '', body: '', line: i + 1 }
    } else {
      const heading = /^(#{1,6})\s+(.*?)(?:\s*\{\/\*\s*#([\w-]+)\s*\*\/\})?\s*$/.exec(line)
      if (heading)
        headings.push({ depth: heading[1]?.length ?? 0, text: heading[2] ?? '', id: heading[3], line: i + 1 })
    }
  }
  return { name, text, headings, fences }
}

function missingTwins(these: Page[], those: Page[]): string[] {
  const language = these[0]?.text && SENTENCE.test(these[0].text) ? 'English' : 'Japanese'
  return these
    .filter(({ name }) => !those.some((page) => page.name === name))
    .map(({ name }) => `${name}: there is no ${language} page`)
}

function checkPage({ name, text, headings, fences }: Page): string[] {
  const problems: string[] = []
  const ids = headings.map(({ id }) => id)
  for (const { depth, text: title, id, line } of headings) {
    if (depth === 1)
      problems.push(`${name}:${line}: the title stands in the front matter, not in a "#" heading`)
    if ((depth === 2 || depth === 3) && !id)
      problems.push(`${name}:${line}: "${title}" has no id: {/* #id */}`)
  }
  for (const id of ids.filter((id, i) => id && ids.indexOf(id) !== i))
    problems.push(`${name}: the id "${id}" stands twice`)
  const order = ids.filter((id) => id && ORDER.includes(id))
  if (order.join() !== ORDER.join())
    problems.push(`${name}: sections are ${order.join(', ')}; they should be ${ORDER.join(', ')}`)
  for (const { language, meta, body, line } of fences) {
    if (PROGRAMS.has(language) && !/\bfile=/.test(meta))
      problems.push(`${name}:${line}: code comes from files: file=… region=…`)
    if (/\bfile=/.test(meta) && body.trim())
      problems.push(`${name}:${line}: a fence with file= must be empty`)
    try {
      parseMeta(meta)
    } catch (error) {
      problems.push(`${name}:${line}: ${(error as Error).message}`)
    }
  }
  if (!/^---\n[\s\S]*?^title: .+[\s\S]*?^description: .+[\s\S]*?^---$/m.test(text))
    problems.push(`${name}: the front matter needs title and description`)
  return problems
}

/** Both languages have the same bones: headings, code, components. */
function compare(english: Page, japanese: Page): string[] {
  const problems: string[] = []
  const bones = ({ headings }: Page) => headings.map(({ depth, id }) => `${'#'.repeat(depth)} ${id ?? '?'}`)
  const code = ({ fences }: Page) => fences.map(({ language, meta }) => `${language} ${fileOf(meta)}`)
  const parts = ({ text }: Page) =>
    [
      ...text.matchAll(
        /^<(Step|LabPanel|Simulation|Figure|Question)\b(?:[^>]*?\b(?:id|name|row)="([^"]*)")?/gm,
      ),
    ].map(([, tag, id]) => `<${tag} ${id ?? ''}>`)
  for (const [what, list] of [
    ['headings', bones],
    ['fences', code],
    ['components', parts],
  ] as const) {
    const [a, b] = [list(english), list(japanese)]
    const at = Array.from({ length: Math.max(a.length, b.length) }, (_, i) => i).find((i) => a[i] !== b[i])
    if (at !== undefined)
      problems.push(
        `${english.name}: ${what} differ: English has "${a[at] ?? 'nothing'}", Japanese "${b[at] ?? 'nothing'}"`,
      )
  }
  return problems
}

const fileOf = (meta: string): string =>
  /\bfile=(\S+)(?:.*\bregion=(\S+))?/.exec(meta)?.slice(1).filter(Boolean).join('#') ?? ''

/** Every step of the lab has its heading, its `<Step>` and a title that agrees with the lab's. */
async function checkSteps(root: string, { name, text, headings }: Page): Promise<string[]> {
  if (!labFolders(root).includes(name)) return [`${name}: there is no lab labs/${name}`]
  const lab = await readLab(root, name)
  const ids = new Set(headings.map(({ id }) => id))
  const problems = (lab?.steps ?? []).flatMap((step) => [
    ...(ids.has(step.section ?? step.id)
      ? []
      : [`${name}: no heading has the anchor #${step.section ?? step.id} of step ${step.id}`]),
    ...(text.includes(`<Step id="${step.id}"`) ? [] : [`${name}: <Step id="${step.id}" /> is missing`]),
  ])
  // In quotes where YAML wants them: a title may hold a colon.
  const title = /^title: (['"]?)(.+)\1$/m.exec(text)?.[2]
  return title === lab?.title.en
    ? problems
    : [...problems, `${name}: the title differs from the lab's, "${lab?.title.en}"`]
}

function checkJapanese({ name, text }: Page): string[] {
  const wanted = fullWidth(text).split('\n')
  return text
    .split('\n')
    .flatMap((line, i) =>
      line === wanted[i] ? [] : [`${name} (ja):${i + 1}: half-width marks in Japanese: npm run site polish`],
    )
}

/** Texts of the theme that its own Japanese translation lacks must stand in our `code.json`. */
function themeTexts(root: string): string[] {
  const read = (file: string): Record<string, unknown> =>
    existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>) : {}
  const folder = join(root, 'node_modules/@docusaurus/theme-translations/locales')
  const base = read(join(folder, 'base/theme-common.json'))
  const known = {
    ...read(join(folder, 'ja/theme-common.json')),
    ...read(join(root, 'site/i18n/ja/code.json')),
  }
  return Object.keys(base)
    .filter((key) => !key.endsWith('___DESCRIPTION') && !(key in known))
    .map((key) => `interface text "${key}" has no Japanese in site/i18n/ja/code.json`)
}
