import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where drawn diagrams are kept, one file a mode. */
export const DIAGRAMS = 'site/static/diagrams'
/** Raise it when the way of drawing changes: every diagram is drawn anew. */
const STYLE = 3

/** File name of a diagram, from what it says. */
export function diagramName(source: string): string {
  return createHash('sha256').update(`${STYLE}\n${source.trim()}`).digest('hex').slice(0, 12)
}

/** Size of a drawn diagram, or nothing if it isn't drawn yet. The page keeps the place free before the picture comes. */
export function diagramSize(root: string, name: string): { width: number; height: number } | undefined {
  const file = join(root, DIAGRAMS, `${name}-light.svg`)
  if (!existsSync(file)) return undefined
  const size = /<svg[^>]* width="([\d.]+)" height="([\d.]+)"/.exec(readFileSync(file, 'utf8').slice(0, 2000))
  return size ? { width: Math.round(Number(size[1])), height: Math.round(Number(size[2])) } : undefined
}
