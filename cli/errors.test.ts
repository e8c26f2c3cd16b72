import { parseArgs } from 'node:util'
import { expect, test } from 'vitest'
import { ROOT } from '../harness/paths.ts'
import { say } from '../harness/text.ts'
import { Unavailable } from '../harness/unavailable.ts'
import { explain } from './errors.ts'
import { language } from './language.ts'
import { USAGE_STATUS } from './usage.ts'

function system(code: string, message = `${code}: it went wrong, open '${ROOT}/workspace/x'`): Error {
  return Object.assign(new Error(message), { code })
}

test.each([
  ['a full disk', system('ENOSPC'), 'The disk is full.'],
  [
    'a full disk, told by Postgres',
    new Error('pg-1 ended (exit status 1) before it was ready\nFATAL: No space left on device'),
    'The disk is full.',
  ],
  [
    'a full disk, told by a program that failed',
    Object.assign(new Error('Command failed: cp -a\nNo space left on device'), { code: 1 }),
    'The disk is full.',
  ],
  ['a full disk, as a cause', new Error('it failed', { cause: system('ENOSPC') }), 'The disk is full.'],
  [
    'no port',
    new Error('no free port between 20000 and 32000 on 127.0.0.1'),
    'There is no free port on this machine.',
  ],
  ['no right', system('EACCES'), 'A file or folder of this clone can’t be written.'],
  ['a read-only disk', system('EROFS'), 'A file or folder of this clone can’t be written.'],
  ['too many files', system('EMFILE'), 'Too many files are open.'],
  ['no memory', system('ENOMEM', 'spawn ENOMEM'), 'The machine has no memory or processes left.'],
  [
    'no image',
    new Error('(HTTP code 404) no such container - No such image: redis:8'),
    'Docker could not fetch an image.',
  ],
  [
    'a server that ends',
    new Error('pg-1 ended (exit status 1) before it was ready\nsay why'),
    'A server did not start.',
  ],
])('%s: what, why and one thing to do, in both languages', (_, error, what) => {
  const told = explain(error, 'check')
  expect(told.what.en).toBe(what)
  expect(told.status).toBe(3)
  for (const text of [told.what, told.remedy]) {
    expect(text.en).not.toBe('')
    expect(text.ja).toMatch(/[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}]/u)
  }
  expect(told.why.en).not.toContain(ROOT)
})

test('what a server said last stands with it', () => {
  const error = new Error('pg-1 ended (exit status 1) before it was ready\none\ntwo\nthree\nfour\n')
  expect(explain(error, 'lab').why.en).toBe(
    'pg-1 ended (exit status 1) before it was ready\ntwo\nthree\nfour',
  )
})

test('what is missing keeps its own words, also after its way out of a thread', () => {
  const missing = { what: say('No Redis.', 'Redisがない。'), why: say('w', 'w'), remedy: say('r', 'r') }
  expect(explain(new Unavailable(missing), 'lab')).toEqual({ ...missing, status: 3 })
  const copy = Object.assign(new Error('No Redis.'), missing, { name: 'Unavailable' })
  expect(explain(copy, 'lab')).toEqual({ ...missing, status: 3 })
})

test('a flag that is not known is no verdict', () => {
  let caught: unknown
  try {
    parseArgs({ args: ['--frob'], options: {} })
  } catch (error) {
    caught = error
  }
  expect(explain(caught, 'check')).toMatchObject({
    what: { en: 'check does not know "--frob".' },
    status: USAGE_STATUS,
  })
})

test('our own fault is called that', () => {
  const told = explain(new TypeError(`x is undefined in ${ROOT}/cli/main.ts`), 'check')
  expect(told.what.en).toBe('The workbook itself has broken.')
  expect(told.why.en).toBe('x is undefined in ./cli/main.ts')
})

test('the language is the one that is asked for, else the system’s', () => {
  const before = { ...process.env }
  try {
    process.env.LC_ALL = 'ja_JP.UTF-8'
    expect(language()).toBe('ja')
    expect(language('en')).toBe('en')
    process.env.LC_ALL = 'C'
    expect(language()).toBe('en')
    expect(() => language('fr')).toThrow('There is no language "fr".')
  } finally {
    process.env = before
  }
})
