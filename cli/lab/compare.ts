import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { structuredPatch } from 'diff'
import type { Language } from '#harness/text'
import type { Lab } from '#grader/labs'
import { harmless, paint, type Layout } from '#grader/report/layout'
import { LAB } from './messages.ts'

const SKIPPED = /(^|\/)(node_modules|\.[^/]*)(\/|$)/
const CONTEXT = 3

/** The way from the learner's files to our solution, as a unified diff. */
export function renderComparison(lab: Lab, lang: Language, layout: Layout): string[] {
  const files = [...new Set([...filesIn(lab.workspace), ...filesIn(lab.solution)])].toSorted()
  const lines = files.flatMap((file) => compareFile(lab, file, layout))
  const title = paint('bold', LAB.compare(lab.chapter.slice(0, 2))[lang], layout)
  return lines.length > 0 ? [title, ...lines] : [LAB.noDifference[lang]]
}

function compareFile(lab: Lab, file: string, layout: Layout): string[] {
  const [mine, ours] = [read(join(lab.workspace, file)), read(join(lab.solution, file))]
  if (mine === ours) return []
  const { hunks } = structuredPatch(file, file, mine, ours, undefined, undefined, { context: CONTEXT })
  const head = [`--- workspace/${lab.chapter}/${file}`, `+++ solutions/${lab.chapter}/${file}`]
  const body = hunks.flatMap((hunk) => [
    paint('cyan', `@@ -${hunk.oldStart},${hunk.oldLines} +${hunk.newStart},${hunk.newLines} @@`, layout),
    ...hunk.lines.map((line) => colour(harmless(line), layout)),
  ])
  return ['', ...head.map((line) => paint('bold', line, layout)), ...body]
}

function colour(line: string, layout: Layout): string {
  if (line.startsWith('+')) return paint('green', line, layout)
  return line.startsWith('-') ? paint('red', line, layout) : line
}

function filesIn(dir: string): string[] {
  if (!existsSync(dir)) return []
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .filter((file) => !SKIPPED.test(file))
}

function read(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}
