import type { ReactNode } from 'react'
import styles from './kit.module.css'

/** The controls of a simulation, two columns where there is room. */
export function Controls({ children }: { children: ReactNode }) {
  return <div className={styles.controls}>{children}</div>
}
