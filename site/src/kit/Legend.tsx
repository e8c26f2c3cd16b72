import styles from './kit.module.css'

/** Which colour is what. Colours come with a letter or a pattern in the picture: never colour alone. */
export function Legend({ items }: { items: readonly (readonly [color: string, label: string])[] }) {
  return (
    <ul className={styles.legend}>
      {items.map(([color, label]) => (
        <li key={label}>
          <i style={{ background: color }} aria-hidden="true" />
          {label}
        </li>
      ))}
    </ul>
  )
}
