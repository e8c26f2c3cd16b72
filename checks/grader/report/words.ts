import { say, type Text } from '#harness/text'
import type { Outcome, Verdict } from '../verdict.ts'

/** A mark and a word for each outcome: whoever sees no colour reads the word. */
export const OUTCOMES: Record<
  Outcome | 'running',
  { mark: string; word: Text; style: 'green' | 'red' | 'yellow' | 'dim' }
> = {
  pass: { mark: '✓', word: say('pass', '合格'), style: 'green' },
  fail: { mark: '✗', word: say('fail', '不合格'), style: 'red' },
  error: { mark: '!', word: say('error', 'エラー'), style: 'red' },
  unknown: { mark: '?', word: say('unknown', '判定不能'), style: 'yellow' },
  'not-run': { mark: '·', word: say('not run', '未実行'), style: 'dim' },
  running: { mark: '…', word: say('running', '実行中'), style: 'yellow' },
}

/** Labels of a failure's fields. */
export const LABELS = {
  test: say('test', 'テスト'),
  when: say('when', '状況'),
  expected: say('expected', '期待'),
  observed: say('observed', '結果'),
  hint: (n: number, of: number) => say(`hint ${n}/${of}`, `ヒント${n}/${of}`),
  remedy: say('to do', '対処'),
  evidence: say('evidence', '証拠'),
  chapter: say('chapter', '章'),
  stack: say('stack', 'スタック'),
}

export const WORDS = {
  whileStarted: say('while npm start runs', 'npm startの実行中に開けます'),
  logs: say('last log lines', 'ログの末尾'),
  timeline: (shown: number, all: number) =>
    shown < all
      ? say(
          `timeline: the last ${shown} of ${all} events, in ms`,
          `タイムライン：全${all}件のうち最後の${shown}件（ミリ秒）`,
        )
      : say('timeline, in ms', 'タイムライン（ミリ秒）'),
  failed: say('failed', '失敗'),
  others: say('Other steps that did not pass', 'そのほかの合格していないステップ'),
  points: (earned: number, possible: number) =>
    say(`${earned} of ${possible} points`, `${possible}点中${earned}点`),
  seconds: (s: string) => say(`${s} s`, `${s}秒`),
  seed: (seed: number) => say(`seed ${seed}`, `シード${seed}`),
  again: (command: string) => say(`repeat: ${command}`, `再現：${command}`),
}

/** `5 passed, 1 failed, 1 not run`; what there is none of is left out. */
export function tally(verdict: Verdict): Text {
  const count = (outcome: Outcome): number => verdict.steps.filter((step) => step.outcome === outcome).length
  const parts = (
    [
      ['pass', 'passed'],
      ['fail', 'failed'],
      ['error', 'error'],
      ['unknown', 'unknown'],
      ['not-run', 'not run'],
    ] as const
  ).filter(([outcome]) => count(outcome) > 0)
  return say(
    parts.map(([outcome, word]) => `${count(outcome)} ${word}`).join(', '),
    parts.map(([outcome]) => `${OUTCOMES[outcome].word.ja}${count(outcome)}`).join('、'),
  )
}
