import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join, resolve, sep } from 'node:path'
import { fromJs } from 'esast-util-from-js'
import type { Code, Root } from 'mdast'
import type { MdxJsxAttribute, MdxJsxFlowElement } from 'mdast-util-mdx-jsx'
import type { MdxjsEsm } from 'mdast-util-mdxjs-esm'
import { visit } from 'unist-util-visit'
import type { VFile } from 'vfile'
import type { Language } from '../../harness/text.ts'
import { diagramName, diagramSize } from './diagram-file.ts'
import { highlight, parseMarked } from './highlight.ts'
import { parseMeta, type FenceMeta } from './fence-meta.ts'

interface Options {
  root: string
  language: Language
  /** {@link pluginVersion}: a page that an older edition of this plugin has made is made anew. */
  version: string
}

/** `server-1` must not be broken after its hyphen. */
const NAME = /\b((?:server|pg|redis|shard|node|worker|replica)-\d+)\b/

/** Elements of a chapter that are given the chapter's own lab. */
const NEED_LAB = new Set(['Step', 'LabPanel'])
/** A page shows code of these folders only: they are what runs. */
const SHOWN = ['labs', 'solutions', 'checks', 'harness']

/**
 * Turns a chapter's fences into what the site shows: code of real files by region, diagrams drawn beforehand, plain
 * fences coloured. Gives `<Step>` and `<LabPanel>` the chapter's lab.
 */
export function remarkWorkbook({ root, language, version }: Options) {
  return (tree: Root, file: VFile) => {
    const page = new PageImports(root, version)
    const fail = (message: string, node: Code) => {
      throw new Error(`${basename(file.path)}:${node.position?.start.line}: ${message}`)
    }
    visit(tree, 'code', (node, index, parent) => {
      if (!parent || index === undefined) return
      try {
        parent.children[index] = fence(node, page) as never
      } catch (error) {
        fail((error as Error).message, node)
      }
    })
    tree.children = joinSolutions(tree.children as Joined[]) as Root['children']
    visit(tree, 'text', (node, index, parent) => {
      if (!parent || index === undefined || parent.type === 'heading' || !NAME.test(node.value)) return
      const pieces = node.value
        .split(NAME)
        .map((piece) => (NAME.test(piece) ? unbroken(piece) : { type: 'text', value: piece }))
      parent.children.splice(index, 1, ...(pieces as never[]))
      return index + pieces.length
    })
    visit(tree, 'mdxJsxFlowElement', (node) => {
      if (!node.name || !NEED_LAB.has(node.name)) return
      const slug = basename(file.path, '.mdx')
      node.attributes.push(
        expression('lab', page.load('lab-loader', join(root, 'labs', slug, 'lab.ts'), { language })),
      )
    })
    tree.children.unshift(...(page.nodes as never[]))
  }
}

function fence(node: Code, page: PageImports): MdxJsxFlowElement {
  const meta = parseMeta(node.meta ?? '')
  if (node.lang === 'mermaid') return diagram(node, meta, page.root)
  const common = [text('language', node.lang ?? 'text'), text('title', meta.title), text('label', meta.label)]
  if (meta.file === undefined) {
    return element('CodeBlock', [
      ...common,
      text('html', highlight(node.value, node.lang ?? '', parseMarked(meta.marked))),
    ])
  }
  if (node.value.trim()) throw new Error('a fence with file= must be empty: its code comes from the file')
  const source = shownFile(page.root, meta.file)
  const query = { region: meta.region, marked: meta.marked, language: node.lang ?? 'text' }
  if (source.startsWith(join(page.root, 'solutions') + sep)) {
    if (!meta.step)
      throw new Error('code of a solution needs step=<id>: it is shown when that step is passed or given up')
    const load = `() => import(${JSON.stringify(page.request('snippet-loader', source, query))})`
    const piece = `{ language: ${JSON.stringify(node.lang)}, file: ${JSON.stringify(meta.file)}, load: ${load} }`
    return {
      ...element('Solution', [text('step', meta.step)]),
      data: { pieces: [piece] },
    } as MdxJsxFlowElement
  }
  return element('CodeBlock', [...common, expression('source', page.load('snippet-loader', source, query))])
}

type Joined = MdxJsxFlowElement & { data?: { pieces?: string[] } }

/** Several pieces of one step's solution that stand together open together. */
function joinSolutions(nodes: Joined[]): Joined[] {
  const joined: Joined[] = []
  for (const node of nodes) {
    const before = joined.at(-1)
    const same =
      node.data?.pieces && before?.data?.pieces && attribute(node, 'step') === attribute(before, 'step')
    if (same) before.data?.pieces?.push(...(node.data?.pieces ?? []))
    else joined.push(node)
  }
  for (const node of joined)
    if (node.data?.pieces) node.attributes.push(expression('pieces', `[${node.data.pieces.join(', ')}]`))
  return joined
}

const attribute = (node: MdxJsxFlowElement, name: string): unknown =>
  node.attributes.find((a) => a.type === 'mdxJsxAttribute' && a.name === name)?.value

function shownFile(root: string, file: string): string {
  const path = resolve(root, file)
  if (!SHOWN.some((folder) => path.startsWith(join(root, folder) + sep))) {
    throw new Error(`file=${file} is outside of ${SHOWN.join(', ')}`)
  }
  if (!existsSync(path)) throw new Error(`file=${file} does not exist`)
  return path
}

function diagram(node: Code, meta: FenceMeta, root: string): MdxJsxFlowElement {
  if (!meta.alt) throw new Error('a diagram needs alt="…": what it says, for readers who cannot see it')
  const name = diagramName(node.value)
  const size = diagramSize(root, name)
  if (!size) {
    if (process.env.NODE_ENV === 'production')
      throw new Error('the diagram is not drawn yet: run "npm run site draw"')
    return element('UndrawnDiagram', [text('source', node.value)])
  }
  return element('Diagram', [
    text('name', name),
    text('alt', meta.alt),
    text('caption', meta.caption),
    expression('width', String(size.width)),
    expression('height', String(size.height)),
  ])
}

/** Imports that the page needs, one for each file and region. */
class PageImports {
  readonly nodes: MdxjsEsm[] = []
  readonly root: string
  readonly #version: string
  readonly #names = new Map<string, string>()

  constructor(root: string, version: string) {
    this.root = root
    this.#version = version
  }

  /** Name under which the page has what the loader makes of the file. */
  load(loader: string, file: string, query: Record<string, string | undefined>): string {
    const request = this.request(loader, file, query)
    const known = this.#names.get(request)
    if (known) return known
    const name = `__workbook${this.#names.size}`
    this.#names.set(request, name)
    const value = `import ${name} from ${JSON.stringify(request)}`
    this.nodes.push({ type: 'mdxjsEsm', value, data: { estree: fromJs(value, { module: true }) } })
    return name
  }

  request(loader: string, file: string, query: Record<string, string | undefined>): string {
    const options = Object.fromEntries(
      Object.entries({ ...query, root: this.root, v: this.#version }).filter(([, v]) => v !== undefined),
    )
    return `!!${join(this.root, 'site/plugins', `${loader}.ts`)}?${JSON.stringify(options)}!${file}`
  }
}

const unbroken = (value: string) => ({
  type: 'mdxJsxTextElement',
  name: 'span',
  attributes: [text('className', 'nobr')],
  children: [{ type: 'text', value }],
})

const element = (name: string, attributes: (MdxJsxAttribute | undefined)[]): MdxJsxFlowElement => ({
  type: 'mdxJsxFlowElement',
  name,
  attributes: attributes.filter((a) => a !== undefined),
  children: [],
})

const text = (name: string, value: string | undefined): MdxJsxAttribute | undefined =>
  value === undefined ? undefined : { type: 'mdxJsxAttribute', name, value }

const expression = (name: string, value: string): MdxJsxAttribute => ({
  type: 'mdxJsxAttribute',
  name,
  value: {
    type: 'mdxJsxAttributeValueExpression',
    value,
    data: { estree: fromJs(`(${value})`, { module: true }) },
  },
})

/** A change in how pages are made must not be hidden by the bundler's cache, which looks at options and files only. */
export function pluginVersion(root: string): string {
  const folder = join(root, 'site/plugins')
  const hash = createHash('sha256')
  for (const file of readdirSync(folder).sort())
    if (file.endsWith('.ts')) hash.update(readFileSync(join(folder, file)))
  return hash.digest('hex').slice(0, 8)
}
