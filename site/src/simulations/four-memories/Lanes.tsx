import { useSay } from '../../text.ts'
import { CELL_MS, UNPLUG, type Seen } from './model.ts'
import styles from './Lanes.module.css'

const MOST = 8

/** A lane for each server, a cell for each quarter of a second: the worst that was seen in it. */
export function Lanes({ lanes, unplugged }: { lanes: readonly Seen[][]; unplugged: boolean }) {
  const t = useSay()
  return (
    <div className={styles.lanes} aria-hidden="true">
      {Array.from({ length: MOST }, (_, server) => (
        <div key={server} className={styles.lane}>
          <span>{server < lanes.length ? `s${server}` : ''}</span>
          <div>
            {lanes[server]?.map((seen, i) => (
              <i
                // oxlint-disable-next-line react/no-array-index-key -- a cell is its place in time
                key={i}
                data-seen={seen}
                data-away={(unplugged && server === UNPLUG.server && isAway(i)) || undefined}
              />
            ))}
          </div>
        </div>
      ))}
      <p className={styles.axis}>
        <span>0 s</span>
        <span>{t('a cell is 0.25 s', '1マスは0.25秒')}</span>
        <span>10 s</span>
      </p>
    </div>
  )
}

function isAway(cell: number): boolean {
  return cell * CELL_MS >= UNPLUG.from && cell * CELL_MS < UNPLUG.until
}
