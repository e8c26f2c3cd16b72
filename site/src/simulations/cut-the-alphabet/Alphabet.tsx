import type { Outcome } from './model.ts'
import styles from './Alphabet.module.css'

const HEIGHT = 120

/** 26 bars, coloured and labelled by owner, with the cut between two of them. */
export function Alphabet({ letters, cut }: { letters: Outcome['letters']; cut: number }) {
  const most = Math.max(...letters.map((l) => l.share), 0.08)
  return (
    <div className={styles.alphabet} aria-hidden="true">
      {letters.map(({ letter, share, owner }, i) => (
        <div key={letter} className={styles.letter} data-owner={owner + 1} data-cut={i === cut || undefined}>
          <i style={{ height: `${Math.round((share / most) * HEIGHT)}px` }} />
          <span>{letter}</span>
        </div>
      ))}
    </div>
  )
}
