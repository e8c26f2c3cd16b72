import { useEffect, useState } from 'react'
import { useDoc } from '@docusaurus/plugin-content-docs/client'
import { useStanding } from '../live/hooks.ts'
import { useSay } from '../text.ts'
import { CodeBlock } from './CodeBlock.tsx'
import { useSurrender } from './surrender.ts'
import styles from './Solution.module.css'

interface Piece {
  language: string
  file: string
  load: () => Promise<{ default: Source }>
}

interface Source {
  html: string
  file: string
}

/** Code of the solution: not even downloaded before the step is passed, or given up in so many words. */
export function Solution({ step, pieces }: { step: string; pieces: Piece[] }) {
  const t = useSay()
  const chapter = useDoc().metadata.id
  const { outcome, passedBefore } = useStanding(chapter, step)
  const { surrendered, surrender } = useSurrender(chapter, step)
  const [open, setOpen] = useState(false)
  const [sources, setSources] = useState<Source[]>()
  const allowed = outcome === 'pass' || passedBefore || surrendered

  useEffect(() => {
    if (open && allowed && !sources)
      void Promise.all(pieces.map((p) => p.load())).then((all) => setSources(all.map((m) => m.default)))
  }, [open, allowed, sources, pieces])

  if (open && allowed) {
    return (sources ?? []).map((source, i) => (
      <CodeBlock
        key={i}
        language={pieces[i]?.language ?? 'ts'}
        source={source}
        label={t('solution', '解答例')}
      />
    ))
  }
  return (
    <div className={styles.locked} data-pagefind-ignore>
      <p>
        {allowed
          ? t(
              'Our solution of this step. Yours may look different and be as right.',
              'このステップの解答例です。違う書き方でも正解はあります。',
            )
          : t(
              'Our solution opens when this step passes, or when you give it up.',
              '解答例は、このステップに合格するか、あきらめたときに開きます。',
            )}
        <span className={styles.files}>{[...new Set(pieces.map((p) => p.file))].join('  ')}</span>
      </p>
      {allowed ? (
        <button type="button" className="button-plain" onClick={() => setOpen(true)}>
          {t('Show the solution', '解答例を見る')}
        </button>
      ) : (
        <GiveUp
          onConfirm={() => {
            surrender()
            setOpen(true)
          }}
        />
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
    <div
      role="group"
      aria-label={t('Give up on this step', 'このステップをあきらめる')}
      className={styles.ask}
    >
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
