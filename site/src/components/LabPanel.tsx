import { useState } from 'react'
import type { PageLab } from '../../plugins/lab-loader.ts'
import { connection } from '../live/connection.ts'
import { useChapterLive } from '../live/hooks.ts'
import { passed, standing, type LiveState } from '../live/state.ts'
import { useSay, type Say } from '../text.ts'
import { CopyButton } from './CopyButton.tsx'
import { Mark } from './Mark.tsx'
import styles from './LabPanel.module.css'

/** The lab of a chapter at a glance: how to work on it, where the reader stands, and a way to run it from here. */
export function LabPanel({ lab }: { lab?: PageLab }) {
  const t = useSay()
  if (!lab) throw new Error('<LabPanel/> belongs on the page of a chapter that has a lab')
  const state = useChapterLive(lab.slug)
  const number = lab.slug.slice(0, 2)
  const done = passed(state, lab.slug, lab.steps)
  return (
    <section className={styles.panel} aria-label={t('The lab', 'ラボ')}>
      <div className={styles.head}>
        <p className={styles.count}>
          <strong>{done}</strong> / {lab.steps.length} <span>{t('steps green', 'ステップ合格')}</span>
        </p>
        <p className={styles.source} role="status">
          {sourceLine(state, lab, t)}
        </p>
      </div>
      <ol className={styles.steps}>
        {lab.steps.map((step) => {
          const { outcome } = standing(state, lab.slug, step.id)
          return (
            <li key={step.id} data-outcome={outcome}>
              <Mark outcome={outcome} />
              <a href={`#${step.section}`}>{step.title}</a>
              <span className={styles.points}>{step.points}</span>
            </li>
          )
        })}
      </ol>
      <div className={styles.ways}>
        <Command
          text={`npm run lab ${number}`}
          what={t('works with you: runs again at every save', '保存のたびに実行し直します')}
        />
        <Command
          text={`npm run check ${number}`}
          what={t('grades all of it, hidden checks too', '非公開のチェックも含めて採点します')}
        />
        {state.mode === 'live' ? <RunButton lab={lab} state={state} /> : <Instead mode={state.mode} />}
      </div>
    </section>
  )
}

function sourceLine(state: LiveState, lab: PageLab, t: Say): string {
  if (state.mode === 'away')
    return t(
      'The local server is silent; looking for it.',
      'ローカルサーバーの応答がありません。再接続しています。',
    )
  if (state.mode !== 'live') return ''
  const run = state.runs[lab.slug]
  if (run?.status === 'running') return t('A run is under way.', '実行中です。')
  return t('Follows your terminal.', 'ターミナルの結果を反映しています。')
}

function Command({ text, what }: { text: string; what: string }) {
  return (
    <div className={styles.command}>
      <code>{text}</code>
      <span>{what}</span>
      <CopyButton text={() => text} />
    </div>
  )
}

function RunButton({ lab, state }: { lab: PageLab; state: LiveState }) {
  const t = useSay()
  const [problem, setProblem] = useState<string>()
  const { running, waiting } = state.queue
  const mine = running?.chapter === lab.slug || waiting.some((run) => run.chapter === lab.slug)
  const run = async () => setProblem(await connection.ask('/api/runs', { lab: lab.slug }))
  const failed =
    problem ?? (state.queue.problem?.chapter === lab.slug ? state.queue.problem.message : undefined)
  return (
    <div className={styles.run}>
      <button type="button" className="button-strong" disabled={mine} onClick={() => void run()}>
        {mine ? t('Running the tests…', 'テストを実行中…') : t('Run the tests', 'テストを実行する')}
      </button>
      <span role="status" className={styles.problem}>
        {failed && t(`It could not be run: ${failed}`, `実行できませんでした：${failed}`)}
      </span>
    </div>
  )
}

/** A static host can't run anything: the page says how to get there. */
function Instead({ mode }: { mode: LiveState['mode'] }) {
  const t = useSay()
  if (mode === 'away') return null
  return (
    <p className={styles.instead}>
      {t(
        'To see your own progress here, run the workbook on your machine: ',
        '自分の進み具合をここに表示するには、手元で動かしてください：',
      )}
      <code>npm start</code>
    </p>
  )
}
