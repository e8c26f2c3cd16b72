import { expect, it } from 'vitest'
import { fullWidth } from './japanese.ts'

const [OPEN, CLOSE, COLON] = ['\uff08', '\uff09', '\uff1a']

it('makes parentheses and colons of Japanese prose full-width', () => {
  expect(fullWidth('終了(SIGKILL)され')).toBe(`終了${OPEN}SIGKILL${CLOSE}され`)
  expect(fullWidth('レッド:テスト')).toBe(`レッド${COLON}テスト`)
  expect(fullWidth('注文(パスは`/a(b)`)')).toBe(`注文${OPEN}パスは\`/a(b)\`${CLOSE}`)
})

it('leaves code, links, identifiers and English alone', () => {
  const untouched = [
    '## 見出し {/* #a:b */}',
    '`f(x)`と[名前](https://a.example/x(1))',
    '```ts\nconst f = (日本) => 1\n```',
    'title: 値',
    '| (4, server-1) |',
    ':::note[題]',
  ]
  for (const text of untouched) expect(fullWidth(text)).toBe(text)
})

it('keeps the parentheses of a link inside of a pair', () => {
  expect(fullWidth('呼ばれます([R](https://a.example/b))。')).toBe(
    `呼ばれます${OPEN}[R](https://a.example/b)${CLOSE}。`,
  )
})

it('is prose in attributes and diagrams, too', () => {
  expect(fullWidth('<Figure seed="短い(2秒)">x</Figure>')).toBe(
    `<Figure seed="短い${OPEN}2秒${CLOSE}">x</Figure>`,
  )
  expect(fullWidth('```mermaid alt="図(1)"\na->>b: 後(1)\n```')).toBe(
    `\`\`\`mermaid alt="図${OPEN}1${CLOSE}"\na->>b: 後${OPEN}1${CLOSE}\n\`\`\``,
  )
})
