import { useEffect, useState } from 'react'
import styles from './kit.module.css'

/** Long enough for a slider to come to rest before a screen reader starts to speak. */
const REST_MS = 500

/** The text twin of the picture: one or two sentences that always say what it shows, read out when they settle. */
export function Told({ children }: { children: string }) {
  const [spoken, setSpoken] = useState('')
  useEffect(() => {
    const timer = setTimeout(() => setSpoken(children), REST_MS)
    return () => clearTimeout(timer)
  }, [children])
  return (
    <>
      <p className={styles.told}>{children}</p>
      <p className="sr-only" role="status">
        {spoken}
      </p>
    </>
  )
}
