import type { Element, ElementContent, Root, Text } from 'hast'
import { toHtml } from 'hast-util-to-html'
import { refractor } from 'refractor'
import docker from 'refractor/docker'
import http from 'refractor/http'
import nginx from 'refractor/nginx'

// Beside the usual ones, which are there already.
for (const language of [docker, http, nginx]) refractor.register(language)

const TERMINAL = new Set(['term', 'console'])
const ALIASES: Record<string, string> = { sh: 'bash', shell: 'bash', text: '', txt: '' }

/** Code as HTML with classes, coloured while the site is built so that no reader downloads a highlighter. */
export function highlight(code: string, language = '', marked: ReadonlySet<number> = new Set()): string {
  const name = ALIASES[language] ?? language
  const lines = TERMINAL.has(name) ? terminalLines(code) : splitLines(tokens(code, name))
  const wrap = marked.size > 0 || TERMINAL.has(name)
  const content = lines.flatMap((line, i): ElementContent[] => {
    const newline: Text = { type: 'text', value: '\n' }
    if (!wrap) return i === lines.length - 1 ? line.children : [...line.children, newline]
    const className = ['line', ...(line.className ?? []), ...(marked.has(i + 1) ? ['marked'] : [])]
    return [
      { type: 'element', tagName: 'span', properties: { className }, children: [...line.children, newline] },
    ]
  })
  return toHtml({ type: 'root', children: content })
}

/** `{2,4-6}` of a fence as line numbers. */
export function parseMarked(text = ''): Set<number> {
  const numbers = new Set<number>()
  for (const part of text.split(',').filter(Boolean)) {
    const [from = 0, to = from] = part.split('-').map(Number)
    for (let n = from; n <= to; n++) numbers.add(n)
  }
  return numbers
}

interface Line {
  className?: string[]
  children: ElementContent[]
}

function tokens(code: string, language: string): ElementContent[] {
  if (!language) return [{ type: 'text', value: code }]
  if (!refractor.registered(language))
    throw new Error(`no highlighting for "${language}"; use text for plain output`)
  return (refractor.highlight(code, language) as Root).children as ElementContent[]
}

/** A token that spans lines (a comment, a template) is cut into one piece a line. */
function splitLines(nodes: ElementContent[]): Line[] {
  const lines: Line[] = [{ children: [] }]
  const put = (node: ElementContent) => lines.at(-1)?.children.push(node)
  for (const node of nodes) {
    const pieces =
      node.type === 'text' ? textLines(node) : node.type === 'element' ? elementLines(node) : [[node]]
    pieces.forEach((piece, i) => {
      if (i > 0) lines.push({ children: [] })
      piece.forEach(put)
    })
  }
  return lines
}

const textLines = (node: Text): ElementContent[][] =>
  node.value.split('\n').map((value) => (value ? [{ type: 'text', value }] : []))

const elementLines = (node: Element): ElementContent[][] =>
  splitLines(node.children).map(({ children }) => (children.length > 0 ? [{ ...node, children }] : []))

/** What a terminal shows: prompts, passed and failed lines stand out, the rest is quiet. */
function terminalLines(code: string): Line[] {
  return code.split('\n').map((text) => {
    const prompt = /^(\$ )(.*)$/.exec(text)
    if (prompt) {
      return { className: ['prompt'], children: [{ type: 'text', value: text }] }
    }
    const className = /^\s*✓/.test(text)
      ? ['ok']
      : /^\s*✗/.test(text)
        ? ['bad']
        : /^\s*#/.test(text)
          ? ['quiet']
          : []
    return { className, children: [{ type: 'text', value: text }] }
  })
}
