import type { ReactNode } from 'react'
import styles from './kit.module.css'

/** The two to four numbers that matter, large. */
export function Readouts({ children }: { children: ReactNode }) {
  return <dl className={styles.readouts}>{children}</dl>
}

export function Readout({ label, value, note }: { label: string; value: string; note?: string }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        {value}
        {note && <small>{note}</small>}
      </dd>
    </div>
  )
}
