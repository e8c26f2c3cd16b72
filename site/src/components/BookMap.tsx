import Link from '@docusaurus/Link'
import Heading from '@theme/Heading'
import type { Chapter } from '../../plugins/labs.ts'
import { useLive, useParts } from '../live/hooks.ts'
import { passed, standing } from '../live/state.ts'
import { useSay } from '../text.ts'
import styles from './BookMap.module.css'

/** The sixteen chapters: what breaks in each, and the reader's own marks. */
export function BookMap() {
  const t = useSay()
  const parts = useParts()
  return (
    <section className={styles.map}>
      <Heading as="h2" id="map">
        {t('Sixteen chapters', '16の章')}
      </Heading>
      {parts.map((part) => (
        <div key={part.title} className={styles.part}>
          <h3>{part.title}</h3>
          <ol>
            {part.chapters.map((chapter) => (
              <Row key={chapter.slug} chapter={chapter} />
            ))}
          </ol>
        </div>
      ))}
    </section>
  )
}

function Row({ chapter }: { chapter: Chapter }) {
  const t = useSay()
  return (
    <li className={styles.row} data-built={chapter.built || undefined}>
      <span className={styles.number}>{chapter.number}</span>
      <div>
        <p className={styles.title}>
          {chapter.built ? <Link to={`/chapters/${chapter.slug}`}>{chapter.title}</Link> : chapter.title}
        </p>
        <p className={styles.summary}>{chapter.teaser}</p>
      </div>
      {chapter.built ? (
        <Dots chapter={chapter} />
      ) : (
        <span className={styles.coming}>{t('coming', '準備中')}</span>
      )}
    </li>
  )
}

function Dots({ chapter }: { chapter: Chapter }) {
  const t = useSay()
  const state = useLive()
  const done = passed(state, chapter.slug, chapter.steps)
  return (
    <span className={styles.dots}>
      <span aria-hidden="true">
        {chapter.steps.map((step) => (
          <i key={step.id} data-outcome={standing(state, chapter.slug, step.id).outcome} />
        ))}
      </span>
      <span>
        {done}/{chapter.steps.length}
        <span className="sr-only"> {t('steps green', 'ステップ合格')}</span>
      </span>
    </span>
  )
}
