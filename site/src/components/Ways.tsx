import { useSay } from '../text.ts'
import { CopyButton } from './CopyButton.tsx'
import styles from './Ways.module.css'

/** The three commands that a reader needs. */
export function Ways() {
  const t = useSay()
  const ways = [
    ['npm start', t('read, play, and watch your progress here', '読み、試し、進み具合をここで見る')],
    [
      'npm run lab',
      t('work on a lab: the tests run at every save', 'ラボに取り組む（保存のたびにテストを実行）'),
    ],
    ['npm run check', t('have it graded, hidden checks included', '非公開のチェックも含めて採点する')],
  ] as const
  return (
    <dl className={styles.ways}>
      {ways.map(([command, what]) => (
        <div key={command}>
          <dt>
            <code>{command}</code>
            <CopyButton text={() => command} />
          </dt>
          <dd>{what}</dd>
        </div>
      ))}
    </dl>
  )
}
