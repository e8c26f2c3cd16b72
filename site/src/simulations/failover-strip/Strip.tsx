import { useSay } from '../../text.ts'
import { THAW_MS, type Outcome, type Part, type Settings } from './model.ts'
import styles from './Strip.module.css'

const LETTERS: Record<Part, string> = { detect: 'D', fence: 'F', promote: 'P', clients: 'C' }

/** A letter takes so much of the strip where the page is narrow. */
const LETTER_SHARE = 0.035

/** From the event to the last client: what is done, and when two nodes take writes. */
export function Strip({ outcome, settings }: { outcome: Outcome; settings: Settings }) {
  const t = useSay()
  const { parts, twoFrom } = outcome
  const end = parts.at(-1)?.to ?? 0
  const span = Math.max(
    1000,
    end * 1.15,
    settings.event === 'freeze' ? THAW_MS * 1.2 : 0,
    (twoFrom ?? 0) * 1.2,
  )
  const place = (from: number, to: number) => ({
    left: `${(from / span) * 100}%`,
    width: `${(Math.min(to, span) - from) * (100 / span)}%`,
  })
  return (
    <div className={styles.strip} aria-hidden="true">
      <div className={styles.name}>{t('What is done', 'していること')}</div>
      <div className={styles.row}>
        {parts.map(({ part, from, to }) => (
          <div key={part} className={styles.part} data-part={part} style={place(from, to)}>
            {to - from > span * LETTER_SHARE && LETTERS[part]}
          </div>
        ))}
      </div>
      <div className={styles.name}>{t('Two nodes take writes', '二台が書き込みを受けている')}</div>
      <div className={styles.row}>
        {twoFrom !== null && <div className={styles.two} style={place(twoFrom, span)} />}
      </div>
      <div className={styles.scale}>
        <span>0</span>
        <span>{(span / 1000).toFixed(1)} s</span>
      </div>
    </div>
  )
}
