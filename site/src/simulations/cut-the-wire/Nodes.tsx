import { useSay } from '../../text.ts'
import type { Client, Result } from './model.ts'
import styles from './wire.module.css'

interface Props {
  sides: readonly Client[]
  held: Result['held']
  onFlip: (node: number) => void
}

/** Five nodes, each on the side of one client; what each holds in the end. */
export function Nodes({ sides, held, onFlip }: Props) {
  const t = useSay()
  return (
    <div className={styles.nodes} role="group" aria-label={t('Nodes', 'ノード')}>
      {sides.map((side, node) => (
        <button
          key={node}
          type="button"
          data-side={side}
          onClick={() => onFlip(node)}
          aria-label={t(
            `q${node + 1} is on the side of ${side}, holds ${held[node]!.value}. Move it to the other side.`,
            `q${node + 1}は${side}の側で、${held[node]!.value}を持っています。反対側へ移します。`,
          )}
        >
          <span>
            q{node + 1} · {side}
          </span>
          <strong>{held[node]!.value}</strong>
          <small>
            {held[node]!.n}.{held[node]!.w}
          </small>
        </button>
      ))}
    </div>
  )
}
