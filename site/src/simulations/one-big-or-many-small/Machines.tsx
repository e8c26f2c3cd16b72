import styles from './Machines.module.css'
import type { Outcome, Settings } from './model.ts'

/** The machines with their cores: busy ones filled, the machine that is away dashed. What it says stands in text, too. */
export function Machines({ settings, outcome }: { settings: Settings; outcome: Outcome }) {
  const { machines, cores, event } = settings
  const working = event === 'none' ? machines : machines - 1
  const utilisation = working === 0 ? 0 : Math.min(1, (outcome.utilisation * machines) / working)
  const busy = Math.round(utilisation * cores)
  return (
    <div className={styles.machines} aria-hidden="true">
      {Array.from({ length: machines }, (_, machine) => {
        const out = event !== 'none' && machine === machines - 1
        return (
          <div key={machine} className={styles.machine} data-out={out || undefined}>
            <b>{out ? '×' : `app-${machine + 1}`}</b>
            {Array.from({ length: cores }, (_core, core) => (
              <i key={core} data-busy={(!out && core < busy) || undefined} />
            ))}
          </div>
        )
      })}
    </div>
  )
}
