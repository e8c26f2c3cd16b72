/** What stands behind the language of a fence. */
export interface FenceMeta {
  file?: string
  region?: string
  /** The solution's code is shown when this step is passed or given up. */
  step?: string
  title?: string
  /** A word above the code that says whose it is: `starter`, `mutant`. */
  label?: string
  alt?: string
  caption?: string
  /** `{2,4-6}` */
  marked?: string
}

const KNOWN = new Set(['file', 'region', 'step', 'title', 'label', 'alt', 'caption'])

/** Reads `file=a.ts region=b {2,4-6} title="two words"`; a word that it doesn't know is an error. */
export function parseMeta(meta: string): FenceMeta {
  const found: Record<string, string> = {}
  const rest = meta.replaceAll(/(\w+)=(?:"([^"]*)"|(\S+))|\{([\d,-]+)\}/g, (_, key, quoted, bare, marked) => {
    if (marked !== undefined) found.marked = marked
    else if (KNOWN.has(key)) found[key] = quoted ?? bare
    else throw new Error(`"${key}=" means nothing on a fence; known are ${[...KNOWN].join(', ')} and {lines}`)
    return ''
  })
  if (rest.trim()) throw new Error(`"${rest.trim()}" means nothing on a fence`)
  return found
}
