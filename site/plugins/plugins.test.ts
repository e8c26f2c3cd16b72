import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseMeta } from './fence-meta.ts'
import { highlight, parseMarked } from './highlight.ts'
import { labFolders, readLab, readParts } from './labs.ts'
import { remarkWorkbook } from './remark-workbook.ts'
import { cutRegion } from './snippet.ts'

describe('a region of a file', () => {
  const source = [
    'a',
    '  // #region one',
    '  b {',
    '    // #region two',
    '    c',
    '    // #endregion two',
    '',
    '  }',
    '  // #endregion one',
    'd',
  ].join('\n')

  it('is cut out without markers and common indent', () => {
    expect(cutRegion(source, 'one', 'f.ts')).toBe('b {\n  c\n\n}')
    expect(cutRegion(source, 'two', 'f.ts')).toBe('c')
    expect(cutRegion(source, undefined, 'f.ts')).toBe('a\n  b {\n    c\n\n  }\nd')
  })

  it('fails the build when it is gone, open or there twice', () => {
    expect(() => cutRegion(source, 'three', 'f.ts')).toThrow('f.ts has no "#region three"')
    expect(() => cutRegion('// #region x\na', 'x', 'f.ts')).toThrow('no "#endregion x"')
    expect(() => cutRegion('-- #region x\n-- #endregion x\n-- #region x', 'x', 'f.sql')).toThrow('2 times')
    // `two` is not the beginning of another name.
    expect(() => cutRegion('// #region two-more\n// #endregion two-more', 'two', 'f.ts')).toThrow('has no')
  })
})

describe('a fence', () => {
  it('says what it shows', () => {
    expect(parseMeta('file=a/b.ts region=c-d {1,3-4} label="what not to do"')).toEqual({
      file: 'a/b.ts',
      region: 'c-d',
      marked: '1,3-4',
      label: 'what not to do',
    })
    expect(() => parseMeta('regoin=x')).toThrow('"regoin=" means nothing')
    expect(() => parseMeta('showLineNumbers')).toThrow('means nothing')
  })

  it('is coloured with classes, line by line where lines matter', () => {
    expect(highlight('const a = `x\ny`', 'ts')).toContain('<span class="token keyword">const</span>')
    const lines = highlight('const a = `x\ny`', 'ts', parseMarked('2')).split('\n')
    expect(lines[1]).toContain('class="line marked"')
    expect(highlight('$ npm test\n✓ a\n✗ b', 'term')).toContain('<span class="line bad">✗ b')
    expect(() => highlight('x', 'nolanguage')).toThrow('no highlighting')
  })

  it('escapes what it shows', () => {
    expect(highlight('<script>', 'text')).toBe('&#x3C;script>')
  })
})

describe('a chapter', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'workbook-plugins-'))
    mkdirSync(join(root, 'solutions/x'), { recursive: true })
    mkdirSync(join(root, 'site/static/diagrams'), { recursive: true })
    writeFileSync(join(root, 'solutions/x/a.ts'), '// #region r\na\n// #endregion r')
    writeFileSync(join(root, 'secret.ts'), '')
  })
  afterEach(() => rmSync(root, { recursive: true }))

  const transform = (children: object[]) => {
    const tree = { type: 'root', children } as never
    remarkWorkbook({ root, language: 'en', version: '1' })(tree, { path: '/x/02-dual-servers.mdx' } as never)
    return (
      tree as {
        children: {
          type: string
          name?: string
          value?: string
          attributes?: { name: string; value: unknown }[]
        }[]
      }
    ).children
  }
  const code = (lang: string, meta: string, value = '') => ({
    type: 'code',
    lang,
    meta,
    value,
    position: { start: { line: 7 } },
  })

  it('shows no solution without a step, and none that could be read in the page', () => {
    expect(() => transform([code('ts', 'file=solutions/x/a.ts region=r')])).toThrow(
      '02-dual-servers.mdx:7: code of a solution needs step=',
    )
    const [solution] = transform([
      code('ts', 'file=solutions/x/a.ts region=r step=s'),
      code('ts', 'file=solutions/x/a.ts step=s'),
    ])
    expect(solution?.name).toBe('Solution')
    expect(JSON.stringify(solution)).toContain('import(')
  })

  it('shows files of the labs only, and files only if they are there', () => {
    expect(() => transform([code('ts', 'file=secret.ts')])).toThrow('is outside of')
    expect(() => transform([code('ts', 'file=labs/../../secret.ts')])).toThrow('is outside of')
    expect(() => transform([code('ts', 'file=labs/x/gone.ts')])).toThrow('does not exist')
    expect(() => transform([code('ts', 'file=solutions/x/a.ts step=s', 'typed in')])).toThrow('must be empty')
  })

  it('asks for words with every diagram', () => {
    expect(() => transform([code('mermaid', '', 'flowchart LR')])).toThrow('needs alt=')
    expect(transform([code('mermaid', 'alt="x"', 'flowchart LR')])[0]?.name).toBe('UndrawnDiagram')
  })

  it('gives its lab to what needs it, and keeps names of servers unbroken', () => {
    const nodes = transform([
      { type: 'mdxJsxFlowElement', name: 'Step', attributes: [], children: [] },
      { type: 'paragraph', children: [{ type: 'text', value: 'from server-1 on' }] },
    ])
    expect(nodes[0]?.type).toBe('mdxjsEsm')
    expect(nodes[1]?.attributes?.[0]?.name).toBe('lab')
    expect(JSON.stringify(nodes[2])).toContain('nobr')
  })
})

describe('the table of contents', () => {
  it('has sixteen chapters, in order, in both languages', async () => {
    for (const language of ['en', 'ja'] as const) {
      const chapters = (await readParts(process.cwd(), language)).flatMap((part) => part.chapters)
      expect(chapters.map(({ number }) => Number(number))).toEqual(
        Array.from({ length: 16 }, (_, i) => i + 1),
      )
      expect(chapters.every(({ title, teaser }) => title && teaser)).toBe(true)
    }
  })

  it('takes titles and steps from the labs', async () => {
    for (const slug of labFolders(process.cwd())) {
      const lab = await readLab(process.cwd(), slug)
      const chapters = (await readParts(process.cwd(), 'ja')).flatMap((part) => part.chapters)
      expect(chapters.find((c) => c.slug === slug)).toMatchObject({
        title: lab?.title.ja,
        lab: slug.slice(3),
      })
    }
  })
})
