import { tokens } from './classify.ts'
import { nodes } from './nodes.ts'

/** Words of a WITH, a SELECT or an EXPLAIN that write or lock. */
const WRITING = new Set(['insert', 'update', 'delete', 'merge', 'into', 'share'])

interface Catalogue {
  /** By name of function: may any of this name write? */
  volatile: Map<string, boolean>
  keywords: Set<string>
}

let catalogue: Promise<Catalogue> | undefined

/** Can this statement write? Nothing is ever tried on a replica: the catalogue knows which functions are volatile. */
export async function writes(sql: string): Promise<boolean> {
  const all = tokens(sql)
  if (all.some(({ kind, text }) => kind === 'word' && WRITING.has(text))) return true
  const called = all.filter(({ kind }, i) => (kind === 'word' || kind === 'name') && all[i + 1]?.text === '(')
  if (called.length === 0) return false
  let known = await (catalogue ??= load())
  const isNew = called.some(({ text }) => !known.volatile.has(text) && !known.keywords.has(text))
  if (isNew) known = await (catalogue = load())
  return called.some(({ text }) => known.volatile.get(text))
}

async function load(): Promise<Catalogue> {
  for (const node of nodes) {
    try {
      const functions = await node.run(
        "SELECT proname, bool_or(provolatile = 'v') AS volatile FROM pg_proc GROUP BY proname",
      )
      const words = await node.run('SELECT word FROM pg_get_keywords()')
      return {
        volatile: new Map(
          (functions.rows as { proname: string; volatile: boolean }[]).map((f) => [f.proname, f.volatile]),
        ),
        keywords: new Set((words.rows as { word: string }[]).map(({ word }) => word)),
      }
    } catch {
      // the next node has the same catalogue
    }
  }
  catalogue = undefined
  return { volatile: new Map(), keywords: new Set() }
}
