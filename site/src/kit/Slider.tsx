import { useId } from 'react'
import styles from './kit.module.css'

interface Props {
  label: string
  value: number
  min: number
  max: number
  step?: number
  /** The value as it is read: `A–M | N–Z`, `200 req/s`. */
  shown: string
  onChange: (value: number) => void
}

/** A range with its value in words, for the eye and for a screen reader. */
export function Slider({ label, value, min, max, step = 1, shown, onChange }: Props) {
  const id = useId()
  return (
    <div className={styles.control}>
      <label htmlFor={id}>
        {label} <output htmlFor={id}>{shown}</output>
      </label>
      <input
        id={id}
        type="range"
        min={min}
        max={max}
        step={step}
        value={value}
        aria-valuetext={shown}
        onChange={(event) => onChange(event.target.valueAsNumber)}
      />
    </div>
  )
}
