import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium } from 'playwright'
import { DIAGRAMS, diagramName, diagramSize } from './plugins/diagram-file.ts'
import { isDraft } from './plugins/labs.ts'
import { chromiumPath } from './tests/chromium.ts'

/** Colours of a drawn diagram, light and dark, replaced one for one. */
const PALETTE: [light: string, dark: string][] = [
  ['#1a2029', '#e4e8ee'],
  ['#5b6675', '#93a0b1'],
  ['#f4f6f9', '#1d242d'],
  ['#c9d1db', '#3b4552'],
  ['#fcfcfd', '#13171d'],
  ['#fff4d6', '#3a2f14'],
  ['#e3c77a', '#6b5722'],
  ['#eaf1fb', '#182536'],
  ['#999999', '#55606e'],
]
const [INK, LINE, FILL, EDGE, PAPER, NOTE, NOTE_EDGE, AREA] = PALETTE.map(([light]) => light) as [
  string,
  ...string[],
]
// Widths of Arial, Helvetica and Liberation Sans are the same, so what is measured here fits everywhere.
const FONT =
  "Arial, 'Liberation Sans', Helvetica, 'Hiragino Sans', 'Yu Gothic', 'Noto Sans CJK JP', sans-serif"

const SETTINGS = {
  startOnLoad: false,
  securityLevel: 'strict',
  layout: 'dagre',
  htmlLabels: false,
  deterministicIds: true,
  theme: 'base',
  look: 'classic',
  themeCSS:
    '.edgeLabel rect, .labelBkg { opacity: 1 !important } .note rect, .node rect { filter: none !important }',
  fontFamily: FONT,
  themeVariables: {
    fontFamily: FONT,
    fontSize: '15px',
    background: PAPER,
    mainBkg: FILL,
    primaryColor: FILL,
    primaryTextColor: INK,
    primaryBorderColor: EDGE,
    secondaryColor: AREA,
    tertiaryColor: AREA,
    lineColor: LINE,
    textColor: INK,
    nodeBorder: EDGE,
    clusterBkg: AREA,
    clusterBorder: EDGE,
    edgeLabelBackground: PAPER,
    titleColor: INK,
    actorBkg: FILL,
    actorBorder: EDGE,
    actorTextColor: INK,
    actorLineColor: EDGE,
    signalColor: LINE,
    signalTextColor: INK,
    labelBoxBkgColor: FILL,
    labelBoxBorderColor: EDGE,
    labelTextColor: INK,
    loopTextColor: INK,
    noteBkgColor: NOTE,
    noteBorderColor: NOTE_EDGE,
    noteTextColor: INK,
    activationBkgColor: AREA,
    activationBorderColor: EDGE,
    sequenceNumberColor: PAPER,
    transitionColor: LINE,
    transitionLabelColor: INK,
    stateLabelColor: INK,
    stateBkg: FILL,
  },
  sequence: {
    mirrorActors: false,
    actorMargin: 60,
    height: 44,
    boxMargin: 8,
    noteMargin: 10,
    messageMargin: 34,
    wrap: false,
  },
  flowchart: { curve: 'basis', nodeSpacing: 44, rankSpacing: 54, padding: 14, useMaxWidth: false },
  state: { useMaxWidth: false },
}

/** Every mermaid fence of the chapters, in both languages; of drafts too, unless they are left out. */
export async function chapterDiagrams(root: string, { drafts = true } = {}): Promise<Map<string, string>> {
  const folders = ['site/chapters', 'site/i18n/ja/docusaurus-plugin-content-docs/current']
  const found = new Map<string, string>()
  for (const folder of folders) {
    const files = await readdir(join(root, folder)).catch(() => [])
    for (const file of files.filter((f) => f.endsWith('.mdx'))) {
      if (!drafts && isDraft(root, file.replace('.mdx', ''))) continue
      const page = await readFile(join(root, folder, file), 'utf8')
      for (const [, source = ''] of page.matchAll(/^```mermaid[^\n]*\n([\s\S]*?)^```/gm))
        found.set(diagramName(source), source)
    }
  }
  return found
}

/** Draws what is not drawn yet and removes what no page uses any more. Needs Chromium; readers need nothing. */
export async function draw(root: string, log: (line: string) => void = console.log): Promise<void> {
  const diagrams = await chapterDiagrams(root)
  const folder = join(root, DIAGRAMS)
  await mkdir(folder, { recursive: true })
  for (const file of await readdir(folder)) {
    if (!diagrams.has(file.slice(0, 12))) await rm(join(folder, file))
  }
  const missing = [...diagrams].filter(([name]) => !diagramSize(root, name))
  if (missing.length === 0) return log(`${diagrams.size} diagrams, all drawn`)
  const browser = await chromium.launch({ executablePath: chromiumPath() })
  try {
    const page = await browser.newPage()
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve('mermaid/dist/mermaid.min.js') })
    for (const [name, source] of missing) {
      const svg = asPicture(await page.evaluate(drawInPage, { name, source, settings: SETTINGS }))
      await writeFile(join(folder, `${name}-light.svg`), svg)
      await writeFile(join(folder, `${name}-dark.svg`), inDark(svg))
      log(`drawn ${name}: ${source.trim().split('\n')[0]}`)
    }
  } finally {
    await browser.close()
  }
}

/** What of the browser `drawInPage` needs; this file is checked without the browser's types. */
interface Browser {
  mermaid: {
    initialize(settings: object): void
    render(id: string, source: string): Promise<{ svg: string }>
  }
  DOMParser: new () => { parseFromString(text: string, type: string): { documentElement: unknown } }
  XMLSerializer: new () => { serializeToString(node: unknown): string }
}

/** Runs in the browser: mermaid's drawing as well-formed XML. */
async function drawInPage(arg: { name: string; source: string; settings: object }): Promise<string> {
  const { mermaid, DOMParser, XMLSerializer } = globalThis as unknown as Browser
  mermaid.initialize(arg.settings)
  const { svg } = await mermaid.render(`d${arg.name}`, arg.source)
  return new XMLSerializer().serializeToString(
    new DOMParser().parseFromString(svg, 'image/svg+xml').documentElement,
  )
}

/** A picture with a size of its own: width and height from its box, nothing that only a page would need. */
function asPicture(svg: string): string {
  const [tag = ''] = /^<svg[^>]*>/.exec(svg) ?? []
  const [, width = 0, height = 0] = /viewBox="[-\d.]+ [-\d.]+ ([\d.]+) ([\d.]+)"/.exec(tag) ?? []
  const bare = tag.replaceAll(/ (?:width|height|style|class|role|aria-[\w-]+)="[^"]*"/g, '')
  return svg.replace(
    tag,
    bare.replace('<svg', `<svg width="${Math.ceil(Number(width))}" height="${Math.ceil(Number(height))}"`),
  )
}

function inDark(svg: string): string {
  const map = new Map(PALETTE)
  return svg
    .replaceAll(/#[0-9a-f]{6}\b/gi, (hex) => map.get(hex.toLowerCase()) ?? hex)
    .replaceAll('"#999"', '"#55606e"')
}
