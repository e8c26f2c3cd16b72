import { useEffect, useState } from 'react'
import { connection } from '../live/connection.ts'
import { useLive } from '../live/hooks.ts'
import { useSay } from '../text.ts'
import styles from './Hints.module.css'

interface Props {
  chapter: string
  step: string
  hints: readonly string[]
  /** The rung that fits what the last run observed. */
  fitting?: number | undefined
}

/** How many hints of a step are open: kept in this browser and, where there is one, by the local server. */
function useOpened(chapter: string, step: string): [number, (n: number) => void] {
  const key = `hints:${chapter}:${step}`
  const { progress, mode } = useLive()
  const [here, setHere] = useState(0)
  useEffect(() => setHere(Number(localStorage.getItem(key) ?? 0)), [key])
  const open = (n: number) => {
    localStorage.setItem(key, String(n))
    setHere(n)
    if (mode === 'live') void connection.ask(`/api/labs/${chapter}/hints`, { step, opened: n })
  }
  return [Math.max(here, progress.labs[chapter.slice(3)]?.hints[step] ?? 0), open]
}

/** The hints of a step, opened one by one, from a question to nearly the code. */
export function Hints({ chapter, step, hints, fitting }: Props) {
  const t = useSay()
  const [opened, open] = useOpened(chapter, step)
  const shown = hints.slice(0, opened)
  return (
    <div className={styles.hints}>
      <ol className={styles.list} aria-live="polite">
        {shown.map((hint, i) => (
          <li key={i} data-fitting={i + 1 === fitting || undefined}>
            <span className={styles.number}>
              {t(`hint ${i + 1}/${hints.length}`, `ヒント${i + 1}/${hints.length}`)}
            </span>
            <span>{inlineCode(hint)}</span>
          </li>
        ))}
      </ol>
      {fitting !== undefined && fitting > opened && fitting > 1 && (
        <p className={styles.fitting}>
          {t(`What was observed points to hint ${fitting}.`, `この結果に合うのはヒント${fitting}です。`)}
        </p>
      )}
      {opened < hints.length && (
        <button type="button" className="button-plain" onClick={() => open(opened + 1)}>
          {t(`Open hint ${opened + 1} of ${hints.length}`, `ヒント${opened + 1}/${hints.length}を開く`)}
        </button>
      )}
    </div>
  )
}

/** Hints are plain text with `code` in backquotes. */
export function inlineCode(text: string) {
  return text
    .split(/(`[^`]+`)/)
    .map((piece, i) => (piece.startsWith('`') ? <code key={i}>{piece.slice(1, -1)}</code> : piece))
}
