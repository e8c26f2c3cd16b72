import type { Outcome } from '../../../checks/grader/verdict.ts'
import { useSay, type Say } from '../text.ts'
import styles from './Mark.module.css'

type Shown = Outcome | 'running'

const SIGNS: Record<Shown, string> = {
  pass: '✓',
  fail: '✗',
  error: '!',
  unknown: '?',
  'not-run': '',
  running: '',
}

/** A verdict in one word. */
export function outcomeWord(outcome: Shown, t: Say): string {
  const words: Record<Shown, string> = {
    pass: t('passed', '合格'),
    fail: t('failed', '不合格'),
    error: t('error', 'エラー'),
    unknown: t('undecided', '判定不能'),
    'not-run': t('not run', '未実行'),
    running: t('running', '実行中'),
  }
  return words[outcome]
}

/** The mark of a step: a sign for the eye, a word for everybody. */
export function Mark({ outcome, word = false }: { outcome: Shown; word?: boolean }) {
  const t = useSay()
  const label = outcomeWord(outcome, t)
  return (
    <span className={styles.mark} data-outcome={outcome}>
      <span className={styles.sign} aria-hidden="true">
        {SIGNS[outcome]}
      </span>
      <span className={word ? styles.word : 'sr-only'}>{label}</span>
    </span>
  )
}
