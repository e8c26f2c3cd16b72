import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { parseMeta } from '../plugins/fence-meta.ts'
import { cutRegion } from '../plugins/snippet.ts'

/** The chapter that stands in for those that are not written yet. */
const MODEL = '02-dual-servers'
const JAPANESE = 'i18n/ja/docusaurus-plugin-content-docs/current'

interface Contents {
  chapters: { slug: string }[]
}

/** A copy of the workbook in which all sixteen chapters have a page and a lab: chapter 02's where their own is missing. */
export function makeWorkbook(root: string, folder: string): void {
  begin(root, folder)
  for (const name of ['docusaurus.config.ts', 'package.json', 'package-lock.json'])
    cpSync(join(root, name), join(folder, name))
  for (const name of ['harness', 'solutions', 'checks']) symlinkSync(join(root, name), join(folder, name))
  cpSync(join(root, 'site'), join(folder, 'site'), { recursive: true })
  cpSync(join(root, 'labs'), join(folder, 'labs'), { recursive: true })
  for (const slug of slugs(root)) {
    if (!existsSync(join(folder, 'labs', slug, 'lab.ts')))
      cpSync(join(root, 'labs', MODEL), join(folder, 'labs', slug), { recursive: true })
    for (const pages of ['site/chapters', `site/${JAPANESE}`]) {
      if (existsSync(join(root, 'labs', slug, 'lab.ts')) && existsSync(join(folder, pages, `${slug}.mdx`)))
        continue
      cpSync(join(root, pages, `${MODEL}.mdx`), join(folder, pages, `${slug}.mdx`))
    }
  }
}

/** The same pages for Docusaurus as it comes: webpack, Babel, its own theme; our components left out, code typed in. */
export function makeStock(root: string, folder: string): void {
  begin(root, folder)
  writeFileSync(join(folder, 'package.json'), '{ "private": true }')
  writeFileSync(join(folder, 'docusaurus.config.js'), STOCK_CONFIG)
  for (const slug of slugs(root)) {
    for (const [from, to] of [
      ['site/chapters', 'docs'],
      [`site/${JAPANESE}`, JAPANESE],
    ] as const) {
      const file = existsSync(join(root, from, `${slug}.mdx`)) ? slug : MODEL
      mkdirSync(join(folder, to), { recursive: true })
      writeFileSync(
        join(folder, to, `${slug}.mdx`),
        plain(root, readFileSync(join(root, from, `${file}.mdx`), 'utf8')),
      )
    }
  }
}

/** Every package is linked by itself, so that the project has a cache of its own. */
function begin(root: string, folder: string): void {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'node_modules'), { recursive: true })
  for (const name of readdirSync(join(root, 'node_modules'))) {
    if (!name.startsWith('.'))
      symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name))
  }
}

function slugs(root: string): string[] {
  const parts = JSON.parse(readFileSync(join(root, 'site/contents.json'), 'utf8')) as Contents[]
  return parts.flatMap((part) => part.chapters.map(({ slug }) => slug))
}

function plain(root: string, page: string): string {
  return page
    .replaceAll(/^```(\w+) +(.*)\n([\s\S]*?)^```$/gm, (_, language: string, meta: string, body: string) => {
      const { file, region } = parseMeta(meta)
      const code =
        file === undefined ? body : `${cutRegion(readFileSync(join(root, file), 'utf8'), region, file)}\n`
      return `\`\`\`${language === 'term' || language === 'mermaid' ? 'text' : language}\n${code}\`\`\``
    })
    .replaceAll(/^```(?:term|mermaid)$/gm, '```text')
    .replaceAll(/\{\/\* #([\w-]+) \*\/\}/g, '{#$1}')
    .replaceAll(/<\/?(?:Wide|Figures|Figure|Question|Choice|Why|Step|LabPanel|Simulation)\b[^>]*>/g, '')
}

const STOCK_CONFIG = `module.exports = {
  title: 'stock', url: 'http://localhost:3000', baseUrl: '/', onBrokenLinks: 'ignore', onBrokenAnchors: 'ignore',
  i18n: { defaultLocale: 'en', locales: ['en', 'ja'] },
  plugins: [['@docusaurus/plugin-content-docs', { routeBasePath: 'chapters', numberPrefixParser: false }]],
  themes: ['@docusaurus/theme-classic'],
}
`
