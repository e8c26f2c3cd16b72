import type { Failure } from '../../../checks/grader/verdict.ts'
import { useSay, useText } from '../text.ts'
import { Timeline } from './Timeline.tsx'
import styles from './FailureCard.module.css'

/** Why a step did not pass: what we did, what was expected, what was seen, and how it came to it. */
export function FailureCard({ failure, hint }: { failure: Failure; hint?: string }) {
  const t = useSay()
  const text = useText()
  return (
    <div className={styles.card}>
      <p className={styles.test}>{text(failure.test)}</p>
      <dl className={styles.facts}>
        <dt>{t('when', '状況')}</dt>
        <dd>{text(failure.when)}</dd>
        <dt>{t('expected', '期待')}</dt>
        <dd>{text(failure.expected)}</dd>
        <dt>{t('observed', '結果')}</dt>
        <dd className={styles.observed}>{text(failure.observed)}</dd>
        {hint && <dt>{t(`hint ${failure.hint}/3`, `ヒント${failure.hint}/3`)}</dt>}
        {hint && <dd>{hint}</dd>}
        {failure.remedy && <dt>{t('to do', '対処')}</dt>}
        {failure.remedy && <dd>{text(failure.remedy)}</dd>}
      </dl>
      {failure.timeline.length > 0 && (
        <details open className={styles.more}>
          <summary>{t('What happened, in order', '起きたこと（時刻順）')}</summary>
          <Timeline events={failure.timeline} />
        </details>
      )}
      {(failure.logs.length > 0 || failure.stack) && (
        <details className={styles.more}>
          <summary>{t('Last lines of the logs', 'ログの最後の数行')}</summary>
          {failure.stack && <pre tabIndex={0}>{failure.stack}</pre>}
          {failure.logs.map(({ role, lines }) => (
            <div key={role}>
              <p className={styles.role}>{role}</p>
              <pre tabIndex={0}>{lines.join('\n')}</pre>
            </div>
          ))}
        </details>
      )}
    </div>
  )
}
