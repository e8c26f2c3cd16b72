import type { PageLab } from '../../plugins/lab-loader.ts'
import { useStanding } from '../live/hooks.ts'
import { useSay } from '../text.ts'
import { FailureCard } from './FailureCard.tsx'
import { Hints } from './Hints.tsx'
import { Mark } from './Mark.tsx'
import styles from './Step.module.css'

interface Props {
  id: string
  /** Given by the build: the chapter's own lab. */
  lab?: PageLab
}

/** One step of the lab where the chapter teaches it: the reader's own verdict, the failure, the hints. */
export function Step({ id, lab }: Props) {
  const t = useSay()
  const step = lab?.steps.find((s) => s.id === id)
  if (!lab || !step) throw new Error(`<Step id="${id}"/>: the lab has no such step`)
  const { outcome, passedBefore, verdict } = useStanding(lab.slug, id)
  const failure = verdict?.failure
  return (
    <section className={styles.step} data-outcome={outcome} aria-label={t(`Step ${id}`, `ステップ ${id}`)}>
      <div className={styles.head}>
        <Mark outcome={outcome} word />
        <span className={styles.id}>{id}</span>
        <span className={styles.title}>{step.title}</span>
        <span className={styles.points}>{t(`${step.points} points`, `${step.points}点`)}</span>
      </div>
      {step.guard && (
        <p className={styles.note}>
          {t('This already holds. Keep it that way.', 'これは最初から成り立っています。壊さないでください。')}
        </p>
      )}
      {outcome !== 'pass' && passedBefore && (
        <p className={styles.note}>
          {t(
            'It has passed before: a later change broke it.',
            '以前は合格していました。その後の変更で壊れています。',
          )}
        </p>
      )}
      {failure && outcome !== 'pass' && (
        <FailureCard failure={failure} {...hintOf(step.hints, failure.hint)} />
      )}
      {outcome !== 'pass' && (
        <Hints chapter={lab.slug} step={id} hints={step.hints} fitting={failure?.hint} />
      )}
    </section>
  )
}

/** The failure shows its hint only when the reader has asked for none yet: the first rung is a question, not an answer. */
function hintOf(hints: readonly string[], fitting: number): { hint?: string } {
  const hint = hints[fitting - 1]
  return fitting === 1 && hint ? { hint } : {}
}
