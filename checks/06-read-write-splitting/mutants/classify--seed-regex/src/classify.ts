/** Pure: SQL in, decision out. The page runs this very file. */

export type Kind = 'session' | 'write' | 'read'

interface Token {
  /** `name` is a quoted identifier, `mark` a sign or a number. */
  kind: 'word' | 'name' | 'literal' | 'mark'
  /** Words in lower case, names without their quotes. */
  text: string
}

// #region tokens
const SHAPES: [Token['kind'] | 'space', RegExp][] = [
  ['space', /\s+|--[^\r\n]*/y],
  ['literal', /e'(?:[^'\\]|\\[^]|'')*(?:'|$)|'(?:[^']|'')*(?:'|$)/iy],
  ['literal', /\$([\p{L}_][\p{L}\p{N}_]*)?\$[^]*?(?:\$\1\$|$(?![^]))/uy],
  ['name', /"(?:[^"]|"")*(?:"|$)/y],
  ['word', /[\p{L}_][\p{L}\p{N}_$]*/uy],
  ['mark', /\d[\w.]*|[^]/y],
]

/** The words of a statement, without comments: what stands in quotes is no keyword. */
export function tokens(sql: string): Token[] {
  const found: Token[] = []
  let at = 0
  while (at < sql.length) {
    if (sql.startsWith('/*', at)) {
      at = endOfComment(sql, at)
      continue
    }
    for (const [kind, shape] of SHAPES) {
      shape.lastIndex = at
      const text = shape.exec(sql)?.[0]
      if (!text) continue
      at += text.length
      if (kind === 'word') found.push({ kind, text: text.toLowerCase() })
      else if (kind === 'name') found.push({ kind, text: text.slice(1, -1).replaceAll('""', '"') })
      else if (kind !== 'space') found.push({ kind, text })
      break
    }
  }
  return found
}

/** Postgres nests block comments. */
function endOfComment(sql: string, from: number): number {
  let depth = 0
  let at = from
  do {
    if (sql.startsWith('/*', at)) depth++
    else if (sql.startsWith('*/', at)) depth--
    else {
      at++
      continue
    }
    at += 2
  } while (depth > 0 && at < sql.length)
  return at
}
// #endregion tokens

// #region kind
/** They change the connection, and the next caller gets the same one from the pool. */
const SESSION = new Set(
  (
    'begin start commit end rollback abort savepoint release set reset discard ' +
    'prepare execute deallocate listen unlisten declare fetch close'
  ).split(' '),
)

/**
 * `read` means: nothing here says that it writes. A function or a WITH may write all the same, and then a replica refuses
 * it before anything has happened. `write` must not be tried on a replica.
 */
export function kindOf(sql: string): Kind {
  if (SESSION.has(tokens(sql)[0]?.text ?? '')) return 'session'
  return /^\s*(INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|TRUNCATE)/i.test(sql) ? 'write' : 'read'
}
// #endregion kind

// #region tables
/** Inside these parentheses FROM is part of an expression: `extract(day from at)`. */
const FROM_CALLS = new Set(['extract', 'substring', 'trim', 'overlay'])
const ENDS_FROM = new Set(
  'select where group having order limit offset fetch for union intersect except window returning'.split(' '),
)

/** Tables that a read names where tables stand: not in literals, aliases, columns, functions or WITH names. */
export function tablesOf(sql: string): Set<string> {
  const all = tokens(sql)
  const found = new Set<string>()
  const levels = [{ inFrom: false, expecting: all[0]?.text === 'table', call: false }]
  for (let i = 0; i < all.length; i++) {
    const { kind, text } = all[i]!
    const level = levels.at(-1)!
    const before = all[i - 1]?.text ?? ''
    if (text === '(' && kind === 'mark') {
      levels.push({ inFrom: level.expecting, expecting: level.expecting, call: FROM_CALLS.has(before) })
    } else if (text === ')' && kind === 'mark') {
      if (levels.length > 1) levels.pop()
      levels.at(-1)!.expecting = false
    } else if (text === ',' && kind === 'mark') level.expecting = level.inFrom
    else if (kind === 'word' && text === 'join') level.inFrom = level.expecting = true
    else if (kind === 'word' && text === 'from') {
      if (!level.call && before !== 'distinct') level.inFrom = level.expecting = true
    } else if (kind === 'word' && ENDS_FROM.has(text)) level.inFrom = level.expecting = false
    else if (level.expecting && (kind === 'word' || kind === 'name')) {
      if (kind === 'word' && (text === 'only' || text === 'lateral' || (i === 0 && text === 'table')))
        continue
      level.expecting = false
      let table = text
      let schema = 'public'
      while (all[i + 1]?.text === '.' && all[i + 2]) {
        schema = table
        table = all[(i += 2)]!.text
      }
      if (all[i + 1]?.text !== '(') found.add(schema === 'public' ? table : `${schema}.${table}`)
    }
  }
  for (const name of withNames(all)) found.delete(name)
  return found
}

/** `WITH name AS (…)`, `WITH name (columns) AS (…)`: a name that hides the table of this name. */
function withNames(all: Token[]): string[] {
  if (!all.some(({ kind, text }) => kind === 'word' && text === 'with')) return []
  return all.flatMap(({ kind, text }, i) => {
    if (kind !== 'word' && kind !== 'name') return []
    let next = i + 1
    if (all[next]?.text === '(') {
      while (next < all.length && all[next]!.text !== ')') next++
      next++
    }
    const follows = all.slice(next, next + 4).map((token) => token.text)
    return /^as (not )?(materialized )?\(/.test(follows.join(' ')) ? [text] : []
  })
}
// #endregion tables

// #region decide
export interface Question {
  sql: string
  consistency?: 'eventual' | 'strong'
  workload?: 'oltp' | 'analytics'
}

export interface Decision {
  /** `cost`: the planner is asked, where that is switched on; otherwise the replicas. */
  to: 'refused' | 'primary' | 'analytics' | 'replicas' | 'cost'
  because: Kind | 'strong' | 'workload' | 'rule'
}

/** Where a statement outside a transaction goes. The order of these lines is the contract. */
export function decide(
  { sql, consistency, workload }: Question,
  rules: readonly { tables: string[]; to: 'primary' | 'analytics' }[],
): Decision {
  const kind = kindOf(sql)
  if (kind === 'session') return { to: 'refused', because: kind }
  if (kind === 'write') return { to: 'primary', because: kind }
  if (consistency === 'strong') return { to: 'primary', because: 'strong' }
  if (workload) return { to: workload === 'analytics' ? 'analytics' : 'replicas', because: 'workload' }
  if (rules.length > 0) {
    const tables = tablesOf(sql)
    const rule = rules.find((one) => one.tables.some((table) => tables.has(table.replace(/^public\./, ''))))
    if (rule) return { to: rule.to, because: 'rule' }
  }
  return { to: 'cost', because: 'read' }
}
// #endregion decide
