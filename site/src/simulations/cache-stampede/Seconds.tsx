import { useSay } from '../../text.ts'
import type { Outcome } from './model.ts'
import styles from './Seconds.module.css'

/** Thirty seconds, half a second a column: statements in Postgres, and readers who wait. */
export function Seconds({ columns, mostRunning, mostWaiting }: Outcome) {
  const t = useSay()
  const rows = [
    ['running', t('In Postgres at once', 'Postgresで同時に動くSQL'), mostRunning],
    ['waiting', t('Readers who wait', '待っている読み手'), mostWaiting],
  ] as const
  return (
    <div className={styles.seconds} aria-hidden="true">
      {rows.map(([kind, name, most]) => (
        <div key={kind}>
          <div className={styles.name}>
            <span>{name}</span>
            <span>{t(`most: ${most}`, `最大：${most}`)}</span>
          </div>
          <div className={styles.row} data-kind={kind}>
            {columns.map((column, i) => (
              <i
                key={i}
                style={{ height: `${column[kind] === 0 ? 0 : Math.max(2, (column[kind] / most) * 88)}px` }}
              />
            ))}
            <span className={styles.end} />
          </div>
        </div>
      ))}
      <div className={styles.scale}>
        <span style={{ left: 0 }}>−10 s</span>
        <span style={{ left: '33.333%' }}>0</span>
        <span style={{ left: '66.666%' }}>+10 s</span>
        <span style={{ left: '100%' }}>+20 s</span>
      </div>
    </div>
  )
}
