import { useChapter, useLive, useParts } from '../live/hooks.ts'
import { passed } from '../live/state.ts'
import { useSay } from '../text.ts'
import styles from './ChapterHeader.module.css'

/** Title of a chapter with its place in the book. */
export function ChapterHeader({
  slug,
  title,
  description,
}: {
  slug: string
  title: string
  description: string | undefined
}) {
  const t = useSay()
  const chapter = useChapter(slug)
  const part = useParts().find((p) => p.chapters.some((c) => c.slug === slug))
  const state = useLive()
  const done = chapter ? passed(state, slug, chapter.steps) : 0
  return (
    <header className={styles.header}>
      <p className={styles.place}>
        <span className={styles.number}>{slug.slice(0, 2)}</span>
        <span>{part?.title}</span>
        {chapter && chapter.steps.length > 0 && (
          <span className={styles.steps}>
            <span className={styles.dots} aria-hidden="true">
              {chapter.steps.map((step, i) => (
                <i key={step.id} data-done={i < done || undefined} />
              ))}
            </span>
            {t(`${done} of ${chapter.steps.length} steps`, `${chapter.steps.length}ステップ中${done}`)}
          </span>
        )}
      </p>
      <h1>{title}</h1>
      {description && <p className={styles.lead}>{description}</p>}
    </header>
  )
}
