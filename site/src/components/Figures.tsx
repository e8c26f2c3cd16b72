import { useDoc } from '@docusaurus/plugin-content-docs/client'
import { useEffect, useState, type ReactNode } from 'react'
import { connection } from '../live/connection.ts'
import { useLive } from '../live/hooks.ts'
import type { BenchResult } from '../live/protocol.ts'
import { useSay, useText } from '../text.ts'
import styles from './Figures.module.css'

interface FigureProps {
  /** Row of `npm run bench NN`. */
  row: string
  /** What is measured. */
  children: ReactNode
  /** What the source material said. */
  seed: string
  /** What our run measured, with its unit. */
  ours: string
}

/** One measured figure beside the seed's, and beside the reader's own if there is a bench result. */
export function Figure(_props: FigureProps): ReactNode {
  return null
}

/** Table of `<Figure>` rows. On the reader's own machine a column with their last bench stands beside. */
export function Figures({ children }: { children: ReactNode }) {
  const t = useSay()
  const text = useText()
  const mine = useBench()
  const rows = (Array.isArray(children) ? children : [children]).filter((c) => c?.type === Figure) as {
    props: FigureProps
  }[]
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- it scrolls sideways on a phone
    <div className={styles.scroll} tabIndex={0} role="group" aria-label={t('Figures', '測定値')}>
      <table className={styles.table}>
        <thead>
          <tr>
            <th scope="col">{t('measured', '測るもの')}</th>
            <th scope="col">{t('the source said', '元の資料')}</th>
            <th scope="col">{t('our run', '手元の測定')}</th>
            {mine && <th scope="col">{t('yours', 'あなたの測定')}</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ props }) => (
            <tr key={props.row}>
              <th scope="row">{props.children}</th>
              <td>{props.seed}</td>
              <td className={styles.ours}>{props.ours}</td>
              {mine && (
                <td className={styles.mine}>
                  {mine.rows[props.row] ? text(mine.rows[props.row]!.text) : '–'}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function useBench(): BenchResult | undefined {
  const chapter = useDoc().metadata.id
  const { mode } = useLive()
  const [result, setResult] = useState<BenchResult>()
  useEffect(() => {
    if (mode === 'live') void connection.bench(chapter).then(setResult)
  }, [mode, chapter])
  return result
}
