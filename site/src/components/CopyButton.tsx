import { useState } from 'react'
import { useSay } from '../text.ts'
import styles from './CopyButton.module.css'

/** Copies a text and says so for a moment, to the eye and to a screen reader. */
export function CopyButton({ text }: { text: () => string }) {
  const t = useSay()
  const [done, setDone] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text())
    setDone(true)
    setTimeout(() => setDone(false), 1_600)
  }
  return (
    <button type="button" className={styles.copy} onClick={() => void copy()}>
      <span aria-live="polite">{done ? t('copied', 'コピー済み') : t('copy', 'コピー')}</span>
    </button>
  )
}
