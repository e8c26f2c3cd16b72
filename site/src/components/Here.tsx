import Link from '@docusaurus/Link'
import type { Chapter } from '../../plugins/labs.ts'
import { useLive, useParts } from '../live/hooks.ts'
import { passed, type LiveState } from '../live/state.ts'
import { useSay } from '../text.ts'
import styles from './Here.module.css'

/** Where to begin or to go on: the first built chapter that isn't green. */
export function Here() {
  const t = useSay()
  const state = useLive()
  const built = useParts()
    .flatMap((part) => part.chapters)
    .filter((chapter) => chapter.built)
  const next =
    built.find((chapter) => passed(state, chapter.slug, chapter.steps) < chapter.steps.length) ?? built[0]
  if (!next) return null
  const begun = hasBegun(state, built)
  return (
    <p className={styles.here}>
      <Link className="button-strong" to={`/chapters/${next.slug}`}>
        {begun ? t('Go on', '続きから') : t('Begin', 'はじめる')}
      </Link>
      <span>
        {next.number} {next.title}
        {begun && (
          <em>
            {' '}
            {t(
              `${passed(state, next.slug, next.steps)} of ${next.steps.length} steps green`,
              `${next.steps.length}ステップ中${passed(state, next.slug, next.steps)}が合格`,
            )}
          </em>
        )}
      </span>
    </p>
  )
}

function hasBegun(state: LiveState, chapters: Chapter[]): boolean {
  return chapters.some((chapter) => state.progress.labs[chapter.lab] !== undefined)
}
