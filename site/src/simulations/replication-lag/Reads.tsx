import { useSay } from '../../text.ts'
import type { Read, Reader } from './model.ts'
import styles from './Reads.module.css'

const SIGNS: Record<Read['seen'], string> = { paid: '✓', stale: '✗', back: '↩', old: '·' }
const NODES: Record<Read['node'], string> = { primary: 'P', 'replica-1': 'R1', 'replica-2': 'R2' }

/** Each read is a cell: what it saw, which node answered. Reads that have not happened yet are empty. */
export function Reads({ reads, until }: { reads: readonly Read[]; until: number }) {
  const t = useSay()
  const names: Record<Reader, string> = {
    buyer: t('The buyer refreshes', '支払った人の再読み込み'),
    friend: t('A friend watches the same order', '同じ注文を見ている友人'),
  }
  return (
    <div className={styles.reads} aria-hidden="true">
      {(['buyer', 'friend'] as const).map((reader) => (
        <div key={reader}>
          <div className={styles.name}>{names[reader]}</div>
          <div className={styles.row}>
            {reads
              .filter((read) => read.reader === reader)
              .map((read) => (
                <div
                  key={read.at}
                  className={styles.cell}
                  data-seen={read.at <= until ? read.seen : undefined}
                >
                  {read.at <= until ? `${SIGNS[read.seen]}\n${NODES[read.node]}` : ''}
                </div>
              ))}
          </div>
        </div>
      ))}
    </div>
  )
}
