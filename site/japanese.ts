/** A letter or a mark of Japanese text. */
const JAPANESE = /[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]/

/** Full-width forms of the marks that Japanese text uses. */
const WIDE: Record<string, string> = {
  '(': '\uff08',
  ')': '\uff09',
  ':': '\uff1a',
  '!': '\uff01',
  '?': '\uff1f',
}

/** What is code, an address or a comment: left alone. */
const CODE =
  /^```[^\n]*\n[\s\S]*?^```$|`[^`\n]*`|\]\([^)\s]*\)|https?:\/\/[^\s)"]+|\{\/\*.*?\*\/\}|<\/?[A-Z][^>]*>|^:::.*$/gm

/**
 * Parentheses and colons in Japanese prose become full-width, as the house style wants it: a pair of parentheses when
 * Japanese stands before or inside it, a colon after Japanese. Code, links and identifiers stay as they are.
 */
export function fullWidth(page: string): string {
  const kept: string[] = []
  const bare = page.replaceAll(CODE, (code) => `\ue000${kept.push(code) - 1}\ue001`)
  const chars = bare.split('')
  for (const [open, close] of pairs(chars)) {
    const inside = chars.slice(open + 1, close).join('')
    // `a(["…"])` is the shape of a box in a diagram.
    if (/^\[?"/.test(inside)) continue
    if (!JAPANESE.test(chars[open - 1] ?? '') && !JAPANESE.test(inside)) continue
    chars[open] = WIDE['('] as string
    chars[close] = WIDE[')'] as string
  }
  for (const [i, char] of chars.entries()) {
    if ((char === ':' || char === '!' || char === '?') && JAPANESE.test(chars[i - 1] ?? ''))
      chars[i] = WIDE[char] as string
  }
  return chars
    .join('')
    .replaceAll(/\ue000(\d+)\ue001/g, (_, n: string) => fullWidthInside(kept[Number(n)] ?? ''))
}

/** What is prose inside of code: attributes such as `alt="…"`, and the words of a diagram. */
function fullWidthInside(code: string): string {
  const diagram = /^(```mermaid)([^\n]*\n)([\s\S]*?)(^```)$/m.exec(code)
  if (diagram)
    return `${diagram[1]}${attributes(diagram[2] ?? '')}${fullWidth(diagram[3] ?? '')}${diagram[4]}`
  return code.startsWith('<') ? attributes(code) : code
}

const attributes = (text: string): string =>
  text.replaceAll(/(?<==")[^"]*(?=")/g, (value) => (JAPANESE.test(value) ? fullWidth(value) : value))

/** Matching parentheses within a line, outermost first. */
function pairs(chars: string[]): [open: number, close: number][] {
  const open: number[] = []
  const found: [number, number][] = []
  for (const [i, char] of chars.entries()) {
    if (char === '\n') open.length = 0
    else if (char === '(') open.push(i)
    else if (char === ')' && open.length > 0) found.push([open.pop() as number, i])
  }
  return found.sort(([a], [b]) => a - b)
}
