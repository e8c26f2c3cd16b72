import { stripVTControlCharacters, styleText } from 'node:util'
import stringWidth from 'string-width'

/** How a text is laid out for a terminal. */
export interface Layout {
  color: boolean
  columns: number
}

type Style = Parameters<typeof styleText>[0]

/** Colours a text, or leaves it. Colour never says anything that a word beside it does not say. */
export function paint(style: Style, text: string, { color }: Pick<Layout, 'color'>): string {
  return color ? styleText(style, text, { validateStream: false }) : text
}

/** Fills a text with spaces up to a width in terminal cells: a Japanese letter takes two. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)))
}

const GRAPHEMES = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** What a reader takes for one letter, a combined emoji included. */
function letters(text: string): string[] {
  return Array.from(GRAPHEMES.segment(text), ({ segment }) => segment)
}

/** One line of at most `width` cells; what is cut off is told by an ellipsis. */
export function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text
  let kept = ''
  let used = 1
  for (const letter of letters(text)) {
    used += stringWidth(letter)
    if (used > width) break
    kept += letter
  }
  return `${kept}…`
}

/** Japanese is broken between any two letters but these. */
const NEVER_FIRST = /^[、。,.・:;?!ー々…)」』】〕〉》ぁぃぅぇぉっゃゅょゎァィゥェォッャュョヮ)\]},.;:]/u
const NEVER_LAST = /[(「『【〔〈《([{]$/u
const UNIT =
  /\s+|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]|[^\s\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\u3000-\u303f\uff00-\uffef]+/gu

/** Breaks a text into lines of at most `width` cells: at spaces, and between Japanese letters where that is allowed. */
export function wrap(text: string, width: number): string[] {
  return text.split('\n').flatMap((line) => wrapLine(line, Math.max(8, width)))
}

function wrapLine(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const unit of unbreakable(text)) {
    if (stringWidth(line + unit.trimEnd()) <= width) line += unit
    else {
      if (line.trim()) lines.push(line.trimEnd())
      line = unit.trimStart()
      while (stringWidth(line) > width) {
        const head = fitting(line, width)
        lines.push(head)
        line = line.slice(head.length)
      }
    }
  }
  return [...lines, line.trimEnd()]
}

/** Pieces between which a line may end. */
function unbreakable(text: string): string[] {
  const pieces: string[] = []
  for (const [unit] of text.matchAll(UNIT)) {
    const last = pieces.at(-1)
    const glued = last !== undefined && last !== '' && !/\s$/.test(last) && !/^\s/.test(unit)
    const wide =
      last !== undefined && (stringWidth(unit) === 2 * letters(unit).length || /[^\x00-\xff]$/u.test(last))
    if (glued && (!wide || NEVER_FIRST.test(unit) || NEVER_LAST.test(last))) pieces[pieces.length - 1] += unit
    else pieces.push(unit)
  }
  return pieces
}

function fitting(text: string, width: number): string {
  let head = ''
  for (const letter of letters(text)) {
    if (stringWidth(head + letter) > width) break
    head += letter
  }
  return head || letters(text)[0]!
}

/** `label  text`, further lines below the text. */
export function labelled(label: string, text: string, labelWidth: number, { columns }: Layout): string[] {
  const [first = '', ...rest] = wrap(text, columns - labelWidth - 2)
  const indent = ' '.repeat(labelWidth + 2)
  return [`  ${pad(label, labelWidth)}${first}`, ...rest.map((line) => (line ? indent + line : ''))]
}

/**
 * What a role wrote, made harmless for a terminal: no cursor tricks, no bells; and the path of its own copy of the subject
 * as the learner knows it, `src/server.ts:12`.
 */
export function harmless(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/(?:file:\/\/)?[^\s'"(]*\/machines\/[^/\s]+\/[^/\s]+\/app\//g, '')
    .replaceAll('\t', '  ')
    .replaceAll(/[\u0000-\u0009\u000b-\u001f\u007f]/g, '')
}
