import styles from './kit.module.css'

interface Props {
  label: string
  value: number
  max: number
  shown: string
  color: string
  /** A line that must not be crossed. */
  limit?: number
  over?: boolean
}

/** A bar with its number, and a line for the limit. */
export function Meter({ label, value, max, shown, color, limit, over = false }: Props) {
  const percent = (n: number) => `${Math.min(100, (n / max) * 100)}%`
  return (
    <div className={styles.meter} data-over={over || undefined}>
      <p>
        <span>{label}</span>
        <span>{shown}</span>
      </p>
      <div className={styles.track} aria-hidden="true">
        <i style={{ width: percent(value), background: color }} />
        {limit !== undefined && <b style={{ left: percent(limit) }} />}
      </div>
    </div>
  )
}
