import { useId, type ReactNode } from 'react'
import styles from './kit.module.css'

interface Props<T extends string> {
  label: string
  value: T
  options: readonly (readonly [value: T, label: ReactNode])[]
  onChange: (value: T) => void
}

/** One of a few, all of them in sight. */
export function Choices<T extends string>({ label, value, options, onChange }: Props<T>) {
  const name = useId()
  return (
    <fieldset className={styles.choices}>
      <legend>{label}</legend>
      <div>
        {options.map(([option, text]) => (
          <label key={option} data-chosen={option === value || undefined}>
            <input type="radio" name={name} checked={option === value} onChange={() => onChange(option)} />
            {text}
          </label>
        ))}
      </div>
    </fieldset>
  )
}
