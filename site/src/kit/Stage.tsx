import type { ReactNode } from 'react'
import styles from './kit.module.css'

interface Props {
  title: string
  /** What the reader may try, in one sentence. */
  lead: string
  children: ReactNode
  /** Where the numbers come from. */
  note?: ReactNode
}

/** Frame of a simulation: title, what to try, the picture and its controls, the sources. */
export function Stage({ title, lead, children, note }: Props) {
  return (
    <section className={styles.stage} aria-label={title}>
      <div className={styles.intro}>
        <p className={styles.title}>{title}</p>
        <p className={styles.lead}>{lead}</p>
      </div>
      {children}
      {note && <footer className={styles.note}>{note}</footer>}
    </section>
  )
}
