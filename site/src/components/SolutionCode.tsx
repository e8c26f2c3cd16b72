import { useEffect, useState } from 'react'
import { useDoc } from '@docusaurus/plugin-content-docs/client'
import { useStanding } from '../live/hooks.ts'
import { useSay } from '../text.ts'
import { CodeBlock } from './CodeBlock.tsx'
import { useSurrender } from './surrender.ts'
import styles from './SolutionCode.module.css'

interface Props {
  language: string
  step: string
  file: string
  title?: string
  load: () => Promise<{ default: { html: string; file: string } }>
}

/** Code of the solution: not even downloaded before the step is passed, or given up in so many words. */
export function SolutionCode({ language, step, file, title, load }: Props) {
  const t = useSay()
  const chapter = useDoc().metadata.id
  const { outcome, passedBefore } = useStanding(chapter, step)
  const { surrendered, surrender } = useSurrender(chapter, step)
  const [open, setOpen] = useState(false)
  const [source, setSource] = useState<{ html: string; file: string }>()
  const allowed = outcome === 'pass' || passedBefore || surrendered

  useEffect(() => {
    if (open && allowed && !source) void load().then((module) => setSource(module.default))
  }, [open, allowed, source, load])

  if (open && allowed) return source ? <CodeBlock language={language} source={source} {...(title && { title })} label={t('solution', '解答例')} /> : null
  return (
    <div className={styles.locked} data-pagefind-ignore>
      <p>
        <span className={styles.file}>{file}</span>
        {allowed
          ? t('Our solution of this step. Yours may look different and be as right.', 'このステップの解答例です。違う書き方でも正解はあります。')
          : t('Our solution opens when this step passes, or when you give it up.', '解答例は、このステップに合格するか、あきらめたときに開きます。')}
      </p>
      {allowed ? (
        <button type="button" className="button-plain" onClick={() => setOpen(true)}>
          {t('Show the solution', '解答例を見る')}
        </button>
      ) : (
        <GiveUp onConfirm={() => { surrender(); setOpen(true) }} />
      )}
    </div>
  )
}

function GiveUp({ onConfirm }: { onConfirm: () => void }) {
  const t = useSay()
  const [asked, setAsked] = useState(false)
  if (!asked) {
    return (
      <button type="button" className="button-plain" onClick={() => setAsked(true)}>
        {t('Give up on this step', 'このステップをあきらめる')}
      </button>
    )
  }
  return (
    <div role="group" aria-label={t('Give up on this step', 'このステップをあきらめる')} className={styles.ask}>
      <span>{t('Have you opened all three hints?', 'ヒントは3つとも開きましたか。')}</span>
      <button type="button" className="button-plain" onClick={onConfirm}>
        {t('Yes, show it', 'はい、見せてください')}
      </button>
      <button type="button" className="button-plain" onClick={() => setAsked(false)}>
        {t('I go on trying', 'もう少し考えます')}
      </button>
    </div>
  )
}
