import { useState } from 'react'
import {
  Choices,
  Controls,
  Player,
  Readout,
  Readouts,
  Slider,
  Stage,
  Toggle,
  Told,
  useClock,
} from '../../kit/index.ts'
import { useSay, type Say } from '../../text.ts'
import {
  EVERY_MS,
  oneSession,
  READS,
  totals,
  TOKEN,
  type Policy,
  type Read,
  type Settings,
  type Totals,
} from './model.ts'
import { Reads } from './Reads.tsx'

const START: Settings = { policy: 'clock', lags: [800, 800], paused: [false, false], servers: 2, seed: 1 }
const END_MS = (READS + 1) * EVERY_MS

/** A payment, two app servers, two replicas that lag: who sees the order? */
export default function ReplicationLag() {
  const t = useSay()
  const [settings, setSettings] = useState(START)
  const clock = useClock(EVERY_MS / 2)
  const set = (change: Partial<Settings>) => setSettings((before) => ({ ...before, ...change }))
  const reads = oneSession(settings)
  const sum = totals(settings)
  const until = Math.min(clock.now, END_MS)
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
  const [first, second] = settings.lags
  const [stopped1, stopped2] = settings.paused
  return (
    <Stage
      title={t('Where is my order?', '注文はどこですか')}
      lead={t(
        'She pays at server-1 at 0 s. Then both refresh every quarter of a second, at a server drawn by lot.',
        '0秒にserver-1で支払い、そのあと2人が0.25秒ごとに再読み込みします。どのサーバーに届くかはくじで決まります。',
      )}
      note={t(
        `Which replica may answer is decided by solutions/07-replication-lag/src/choose.ts and lsn.ts, the files that the tests run. The payment ends at ${TOKEN}.`,
        `どのレプリカが答えてよいかは、テストが動かすのと同じsolutions/07-replication-lag/src/choose.tsとlsn.tsが決めています。支払いの位置は${TOKEN}です。`,
      )}
    >
      <Controls>
        <Choices<Policy>
          label={t('Rule', '規則')}
          value={settings.policy}
          options={[
            ['none', t('none', 'なし')],
            ['clock', t('1 s clock', '1秒の時計')],
            ['primary', t('always primary', '常にプライマリ')],
            ['token', t('token of writes', '書き込みのトークン')],
            ['monotonic', t('token of reads, too', '読み取りもトークン')],
          ]}
          onChange={(policy) => set({ policy })}
        />
        <Choices<'1' | '2'>
          label={t('App servers', 'アプリサーバー')}
          value={String(settings.servers) as '1' | '2'}
          options={[
            ['1', t('one', '1台')],
            ['2', t('two', '2台')],
          ]}
          onChange={(servers) => set({ servers: Number(servers) as 1 | 2 })}
        />
      </Controls>
      <Player clock={clock} />
      <Reads reads={reads} until={until} />
      <Controls>
        <Slider
          label={t('replica-1 is behind', 'replica-1の遅れ')}
          value={first}
          min={0}
          max={5000}
          step={50}
          shown={seconds(first)}
          onChange={(lag) => set({ lags: [lag, second] })}
        />
        <Slider
          label={t('replica-2 is behind', 'replica-2の遅れ')}
          value={second}
          min={0}
          max={5000}
          step={50}
          shown={seconds(second)}
          onChange={(lag) => set({ lags: [first, lag] })}
        />
        <Toggle
          label={t('replica-1 stands still', 'replica-1を止める')}
          value={stopped1}
          onChange={(paused) => set({ paused: [paused, stopped2] })}
        />
        <Toggle
          label={t('replica-2 stands still', 'replica-2を止める')}
          value={stopped2}
          onChange={(paused) => set({ paused: [stopped1, paused] })}
        />
      </Controls>
      <Readouts>
        <Readout
          label={t('buyer does not see her order', '注文が見えなかった読み取り')}
          value={String(sum.stale)}
          note={t(`of ${sum.reads} reads`, `${sum.reads}回のうち`)}
        />
        <Readout
          label={t('back in time', '過去に戻った読み取り')}
          value={String(sum.back)}
          note={t(`of ${sum.reads} reads`, `${sum.reads}回のうち`)}
        />
        <Readout
          label={t('reads on the primary', 'プライマリの読み取り')}
          value={`${((sum.primary / sum.reads) * 100).toFixed(1)} %`}
          note={t(`of ${sum.reads} reads`, `${sum.reads}回のうち`)}
        />
      </Readouts>
      <Told>
        {sentence(
          reads.filter(({ at }) => at <= until),
          sum,
          t,
        )}
      </Told>
    </Stage>
  )
}

/** What the picture says, in words. */
function sentence(seen: readonly Read[], sum: Totals, t: Say): string {
  const last = seen.findLast(({ reader }) => reader === 'buyer')
  const buyer = seen.filter(({ reader }) => reader === 'buyer')
  const missing = buyer.filter((read) => read.seen !== 'paid').length
  const now = last
    ? t(
        `Of the buyer's ${buyer.length} reads ${missing} did not show her order; ${last.node} answered the last one.`,
        `支払った人は${buyer.length}回中${missing}回、注文を見られませんでした。最後の応答は${last.node}です。`,
      )
    : t('She has paid and has not looked yet.', '支払いは済み、まだ誰も読んでいません。')
  const all = t(
    ` Over 1,000 reads: ${sum.stale} miss the order, ${sum.back} go back in time, ${sum.primary} go to the primary.`,
    `1,000回では、見えない${sum.stale}回、過去に戻る${sum.back}回、プライマリ${sum.primary}回です。`,
  )
  return now + all
}
