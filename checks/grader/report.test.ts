import { stripVTControlCharacters } from 'node:util'
import stringWidth from 'string-width'
import { expect, test } from 'vitest'
import { renderJunit } from './report/junit.ts'
import { cut, harmless, pad, wrap } from './report/layout.ts'
import { renderVerdict } from './report/text.ts'
import type { Failure, StepVerdict, Verdict } from './verdict.ts'

const text = (en: string, ja: string) => ({ en, ja })

const failure: Failure = {
  test: text('a change arrives', '変更が届く'),
  when: text(
    'server-1 answered 200 to PUT maintenance_mode, then was killed (SIGKILL) 3 ms later',
    'server-1がPUT maintenance_modeに200を返し、3ミリ秒後に強制終了（SIGKILL）された',
  ),
  expected: text('the change in pg-2', 'pg-2に変更がある'),
  observed: text('pg-2 has no row', 'pg-2に行がない'),
  hint: 2,
  hintText: text('Write it down in one transaction.', '一つのトランザクションで書き込みます。'),
  evidence: ['timeline.json', 'server-1.log'],
  logs: [
    {
      role: 'server-1',
      lines: [
        '\u001b[2J\u001b[31mboom\u001b[0m\u0007',
        '    at file:///home/me/clone/.runtime/machines/02-dual-servers/server-1/app/src/server.ts:12:5',
      ],
    },
  ],
  timeline: [
    { at: 1.234, from: 'test', to: 'test', kind: 'note', text: 'a change is made', ja: '変更する' },
    { at: 12.3, from: 'test', to: 'server-1', kind: 'http', text: 'PUT /x → 200', ms: 3.14 },
    { at: 100, from: 'server-1', to: 'server-2', kind: 'http', text: 'POST /sync\nrefused', failed: true },
  ],
}

function step(id: string, over: Partial<StepVerdict>): StepVerdict {
  const title = text(
    `Step ${id}, with a title that is too long for its line`,
    `ステップ${id}の、一行に収まらないとても長い題名`,
  )
  return {
    id,
    title,
    points: 20,
    guard: false,
    section: id,
    outcome: 'pass',
    durationMs: 123,
    tests: [],
    ...over,
  }
}

const verdict: Verdict = {
  version: 1,
  lab: 'dual-servers',
  chapter: '02-dual-servers',
  title: text('Two servers', '2台のサーバー'),
  subject: 'workspace',
  runtime: { kind: 'native', why: text('', ''), versions: {} },
  seed: 42,
  labVersion: 'x',
  startedAt: '2026-01-02T03:04:05.678Z',
  durationMs: 3456,
  status: 'fail',
  points: { earned: 20, possible: 80 },
  steps: [
    step('split', {
      tests: [{ title: text('it splits', '分ける'), kind: 'red', outcome: 'pass', durationMs: 5 }],
    }),
    step('queue', {
      outcome: 'fail',
      failure,
      tests: [{ title: failure.test, kind: 'check', outcome: 'fail', durationMs: 9 }],
    }),
    step('once', {
      outcome: 'error',
      failure: { ...failure, test: text('no such test', 'ない'), logs: [], timeline: [] },
    }),
    step('agree', { outcome: 'not-run' }),
  ],
}

test('the first failure stands in full, the others in a line each', () => {
  expect(renderVerdict(verdict, 'en', { color: false, columns: 80 }).join('\n')).toBe(`02  Two servers
  ✓ pass     split  Step split, with a title that is too long f…  20/20 123 ms
  ✗ fail     queue  Step queue, with a title that is too long f…  0/20  123 ms
  ! error    once   Step once, with a title that is too long fo…  0/20  123 ms
  · not run  agree  Step agree, with a title that is too long f…  0/20

✗ queue — Step queue, with a title that is too long for its line
  test      a change arrives
  when      server-1 answered 200 to PUT maintenance_mode, then was killed
            (SIGKILL) 3 ms later
  expected  the change in pg-2
  observed  pg-2 has no row
  hint 2/3  Write it down in one transaction.
  evidence  workspace/.runs/02-dual-servers/2026-01-02T03-04-05.678/
            server-1.log, timeline.json
  chapter   http://localhost:3000/chapters/02-dual-servers#queue

  last log lines
  server-1 | boom
  server-1 |     at src/server.ts:12:5

  timeline, in ms
        1.2  test                 a change is made
       12.3  test     → server-1  PUT /x → 200 (3.1 ms)
      100.0  server-1 → server-2  failed: POST /sync refused

Other steps that did not pass
  ! once — pg-2 has no row

✗ fail  20 of 80 points · 1 passed, 1 failed, 1 error, 1 not run · 3.5 s
  repeat: npm run check 02 -- --seed 42`)
})

test('another failure is told by the test that it fails, an error by what was seen', () => {
  const more = step('metrics', {
    outcome: 'fail',
    failure: { ...failure, test: text('two sums', '二つの合計') },
  })
  const lines = renderVerdict({ ...verdict, steps: [...verdict.steps, more] }, 'ja', {
    color: false,
    columns: 80,
  })
  expect(lines).toContain('  ! once — pg-2に行がない')
  expect(lines).toContain('  ✗ metrics — 二つの合計')
})

test.each(['en', 'ja'] as const)(
  '%s: no line is wider than the window, but paths and links stay whole',
  (lang) => {
    for (const columns of [40, 60, 80, 100]) {
      for (const line of renderVerdict(verdict, lang, { color: false, columns, failures: 'all' })) {
        if (/https?:|\.runs\/|npm run/.test(line)) continue
        expect(stringWidth(line), `${columns}: ${line}`).toBeLessThanOrEqual(columns)
      }
    }
  },
)

test.each(['en', 'ja'] as const)('%s: colour adds nothing to the words', (lang) => {
  const plain = renderVerdict(verdict, lang, { color: false, columns: 80 })
  const colored = renderVerdict(verdict, lang, { color: true, columns: 80 })
  expect(plain.join('\n')).not.toContain('\u001b')
  expect(colored.join('\n')).toContain('\u001b')
  expect(colored.map((line) => stripVTControlCharacters(line))).toEqual(plain)
})

test('Japanese is broken between letters, never before a full stop or after an opening bracket', () => {
  expect(wrap('変更は送られました。ただ、届いていなかったのです（まだ）。', 20)).toEqual([
    '変更は送られました。',
    'ただ、届いていなかっ',
    'たのです（まだ）。',
  ])
  expect(wrap('server-1がPUT maintenance_modeに200を返した', 20)).toEqual([
    'server-1がPUT',
    'maintenance_modeに',
    '200を返した',
  ])
  expect(wrap('あいうえおかきくけ。', 18)).toEqual(['あいうえおかきく', 'け。'])
})

test('a word that is too long is cut, an empty text is one line', () => {
  expect(wrap('abcdefghijklmnop', 10)).toEqual(['abcdefghij', 'klmnop'])
  expect(wrap('', 10)).toEqual([''])
  expect(wrap('one two\nthree', 10)).toEqual(['one two', 'three'])
})

test('widths count cells: a Japanese letter takes two', () => {
  expect(pad('合格', 6)).toBe('合格  ')
  expect(cut('長い題名です', 7)).toBe('長い題…')
  expect(cut('short', 7)).toBe('short')
})

test('what a role writes can move no cursor', () => {
  expect(harmless('\u001b[2J\u001b]0;title\u0007a\tb\rc\u0000')).toBe('a  bc')
})

test('JUnit: a case for each test, and XML whatever a role wrote', () => {
  const hostile = {
    ...verdict,
    steps: [step('a', { outcome: 'fail', failure: { ...failure, observed: text('<&>"\u0001\ud800', '') } })],
  }
  const xml = renderJunit([verdict, hostile], 'en')
  expect(xml).toContain(
    '<testsuite name="02-dual-servers" tests="4" failures="1" errors="1" skipped="1" time="3.456"',
  )
  expect(xml).toContain('<testcase classname="dual-servers.split" name="it splits" time="0.005"></testcase>')
  expect(xml).toContain('<failure type="fail" message="pg-2 has no row">when: server-1 answered')
  expect(xml).toContain('message="&lt;&amp;&gt;&quot;\ufffd"')
  expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/)
  const tags = [...xml.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)]
  const open: string[] = []
  for (const [, closing, name, empty] of tags) {
    if (closing) expect(open.pop()).toBe(name)
    else if (!empty) open.push(name!)
  }
  expect(open).toEqual([])
})
