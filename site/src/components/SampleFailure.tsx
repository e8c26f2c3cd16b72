import type { Failure } from '../../../checks/grader/verdict.ts'
import { useSay } from '../text.ts'
import { FailureCard } from './FailureCard.tsx'
import { Mark } from './Mark.tsx'
import sample from './sample-failure.json'
import styles from './SampleFailure.module.css'

/** What a failed step looks like: recorded from a run of chapter 02 against one of its wrong solutions. */
export function SampleFailure() {
  const t = useSay()
  return (
    <figure className={styles.sample} data-pagefind-ignore>
      <figcaption>
        {t('A failed step of chapter 02, as recorded', '第2章で失敗したステップの実際の記録')}
      </figcaption>
      <p className={styles.head}>
        <Mark outcome="fail" />
        <span>{t(sample.title.en, sample.title.ja)}</span>
      </p>
      <FailureCard failure={sample.failure as Failure} />
    </figure>
  )
}
