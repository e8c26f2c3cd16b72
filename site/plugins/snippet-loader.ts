import { relative, sep } from 'node:path'
import { highlight, parseMarked } from './highlight.ts'
import { cutRegion } from './snippet.ts'

interface LoaderContext {
  resourcePath: string
  getOptions(): { region?: string; language: string; marked?: string; root: string }
}

/** Bundler loader: a region of a real file as highlighted HTML. The bundler tracks the file, so a page can't go stale. */
export default function snippetLoader(this: LoaderContext, source: string): string {
  const { region, language, marked, root } = this.getOptions()
  const file = relative(root, this.resourcePath).split(sep).join('/')
  const html = highlight(cutRegion(source, region, file), language, parseMarked(marked))
  return `export default ${JSON.stringify({ html, file })}`
}
