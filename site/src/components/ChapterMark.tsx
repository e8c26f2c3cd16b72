import { useChapter, useLive } from '../live/hooks.ts'
import { passed } from '../live/state.ts'
import { useSay } from '../text.ts'

/** How far the reader is with a chapter: `4/7`, or a tick when all of it is green. */
export function ChapterMark({ slug }: { slug: string }) {
  const t = useSay()
  const state = useLive()
  const chapter = useChapter(slug)
  if (!chapter) return null
  const done = passed(state, slug, chapter.steps)
  if (done === 0) return null
  const all = done === chapter.steps.length
  return (
    <span className="chapter-mark" data-all={all || undefined}>
      <span aria-hidden="true">{all ? '✓' : `${done}/${chapter.steps.length}`}</span>
      <span className="sr-only">
        {t(
          `${done} of ${chapter.steps.length} steps green`,
          `${chapter.steps.length}ステップ中${done}が合格`,
        )}
      </span>
    </span>
  )
}
