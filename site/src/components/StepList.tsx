import { useChapter, useLive } from '../live/hooks.ts'
import { passed, standing } from '../live/state.ts'
import { useSay } from '../text.ts'
import { Mark } from './Mark.tsx'
import styles from './StepList.module.css'

/** The steps of a chapter's lab as a small list of marks. */
export function StepList({ slug }: { slug: string }) {
  const t = useSay()
  const state = useLive()
  const chapter = useChapter(slug)
  if (!chapter || chapter.steps.length === 0) return null
  return (
    <nav className={styles.list} aria-label={t('Steps of the lab', 'ラボのステップ')}>
      <p>
        {t('Lab', 'ラボ')}{' '}
        <span>
          {passed(state, slug, chapter.steps)}/{chapter.steps.length}
        </span>
      </p>
      <ol>
        {chapter.steps.map((step) => (
          <li key={step.id}>
            <a href={`#${step.section}`}>
              <Mark outcome={standing(state, slug, step.id).outcome} />
              {step.id}
            </a>
          </li>
        ))}
      </ol>
    </nav>
  )
}
