import { useState } from 'react'
import { Choices, Controls, Readout, Readouts, Slider, Stage, Toggle, Told } from '../../kit/index.ts'
import { useSay, type Say } from '../../text.ts'
import { run, type Event, type Outcome, type Settings } from './model.ts'
import { Strip } from './Strip.tsx'

const START: Settings = {
  event: 'freeze',
  intervalMs: 5000,
  timeoutMs: 1000,
  threshold: 1,
  observers: 1,
  quorum: 1,
  lossPer10k: 10,
  burst: 1,
  lagKb: 100,
  fence: false,
  synchronous: false,
}
const THREE = ['1', '2', '3'] as const

/** A primary is lost, or seems to be: how long until the next one, what is lost, and are there ever two? */
export default function FailoverStrip() {
  const t = useSay()
  const [settings, setSettings] = useState(START)
  const set = (change: Partial<Settings>) => setSettings((before) => ({ ...before, ...change }))
  const outcome = run(settings)
  const { intervalMs, timeoutMs, threshold, observers, quorum, lossPer10k, burst, lagKb } = settings
  return (
    <Stage
      title={t('From the last write to the next', '最後の書き込みから次の書き込みまで')}
      lead={t(
        'Something happens to the primary at 0 s, just after a check that went well. It starts with the rules of the source.',
        '0秒、チェックに成功した直後のプライマリに何かが起きます。最初は教材の元になった規則です。',
      )}
      note={t(
        'Who is believed and who is promoted is decided by solutions/08-automatic-failover/src/decide.ts and choose.ts, the files that the tests run. A frozen primary wakes up after 8 s; an operator notices after a minute.',
        '誰を信じ、誰を昇格するかは、テストが動かすのと同じsolutions/08-automatic-failover/src/decide.tsとchoose.tsが決めています。凍結したプライマリは8秒後に目を覚まし、担当者は1分後に気づきます。',
      )}
    >
      <Controls>
        <Choices<Event>
          label={t('What happens', '起きること')}
          value={settings.event}
          options={[
            ['kill', t('it dies', '死ぬ')],
            ['freeze', t('it freezes', '凍る')],
            ['isolate', t('the leader loses sight of it', 'リーダーから見えなくなる')],
          ]}
          onChange={(event) => set({ event })}
        />
        <Choices<'1' | '2' | '3'>
          label={t('Observers', '観測者')}
          value={String(observers) as '1' | '2' | '3'}
          options={THREE.map((n) => [n, n])}
          onChange={(n) => set({ observers: Number(n) as 1 | 2 | 3 })}
        />
        <Choices<'1' | '2' | '3'>
          label={t('Must agree', '同意が必要な数')}
          value={String(quorum) as '1' | '2' | '3'}
          options={THREE.map((n) => [n, n])}
          onChange={(n) => set({ quorum: Number(n) })}
        />
        <Toggle
          label={t('Fence first', '先に隔離する')}
          value={settings.fence}
          onChange={(fence) => set({ fence })}
        />
        <Toggle
          label={t('Synchronous, ANY 1', '同期（ANY 1）')}
          value={settings.synchronous}
          onChange={(synchronous) => set({ synchronous })}
        />
      </Controls>
      <Strip outcome={outcome} settings={settings} />
      <Controls>
        <Slider
          label={t('Check every', 'チェックの間隔')}
          value={intervalMs}
          min={50}
          max={5000}
          step={50}
          shown={inSeconds(intervalMs)}
          onChange={(value) => set({ intervalMs: value })}
        />
        <Slider
          label={t('A check may take', 'チェックの制限時間')}
          value={timeoutMs}
          min={50}
          max={2000}
          step={50}
          shown={inSeconds(timeoutMs)}
          onChange={(value) => set({ timeoutMs: value })}
        />
        <Slider
          label={t('Misses in a row', '連続した失敗')}
          value={threshold}
          min={1}
          max={5}
          step={1}
          shown={String(threshold)}
          onChange={(value) => set({ threshold: value })}
        />
        <Slider
          label={t('Checks lost in peace', '平時に失われるチェック')}
          value={lossPer10k}
          min={0}
          max={100}
          step={1}
          shown={`${(lossPer10k / 100).toFixed(2)} %`}
          onChange={(value) => set({ lossPer10k: value })}
        />
        <Slider
          label={t('Lost in a row', '続けて失われる数')}
          value={burst}
          min={1}
          max={5}
          step={1}
          shown={String(burst)}
          onChange={(value) => set({ burst: value })}
        />
        <Slider
          label={t('The better replica lacks', '先を行くレプリカの不足')}
          value={lagKb}
          min={0}
          max={2048}
          step={16}
          shown={`${lagKb} kB`}
          onChange={(value) => set({ lagKb: value })}
        />
      </Controls>
      <Readouts>
        <Readout
          label={t('RTO', 'RTO')}
          value={outcome.rtoMs === null ? '–' : inSeconds(outcome.rtoMs)}
          note={t('without an acknowledged write', '書き込みが確認されない時間')}
        />
        <Readout
          label={t('Writes lost', '失われる書き込み')}
          value={String(outcome.lostWrites)}
          note={`${outcome.lostBytes / 1024} kB`}
        />
        <Readout
          label={t('Two primaries', '二台のプライマリ')}
          value={`${outcome.twoSeconds.toFixed(1)} s`}
          note={t('of the first minute', '最初の1分のうち')}
        />
        <Readout
          label={t('False failovers', '誤った切り替え')}
          value={perYear(outcome.falsePerYear)}
          note={t('a year', '1年あたり')}
        />
      </Readouts>
      <Told>{sentence(outcome, t)}</Told>
    </Stage>
  )
}

const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

function perYear(n: number): string {
  if (n >= 10) return Math.round(n).toLocaleString('en')
  return n >= 0.01 ? n.toFixed(2) : '< 0.01'
}

/** What the picture says, in words. */
function sentence({ state, observers, parts, twoSeconds, commitMs }: Outcome, t: Say): string {
  const who = observers.join(', ')
  const price = commitMs
    ? t(` Every commit waits ${commitMs} ms longer.`, `コミットは毎回${commitMs}ms長く待ちます。`)
    : ''
  if (state === 'undisturbed')
    return t('Too few agree: nothing is done.', '同意が足りず、何も起こりません。') + price
  const at = inSeconds(parts[0]!.to)
  const seen = t(`After ${at} it counts as down, by ${who}.`, `${at}後に${who}がダウンと判定します。`)
  if (state === 'blocked')
    return (
      seen +
      t(
        ' More than 1 MiB would be lost: an operator is asked.',
        '1MiBを超えて失うため、担当者の判断を待ちます。',
      )
    )
  const two = twoSeconds
    ? t(
        ` For ${twoSeconds.toFixed(1)} s two nodes take writes.`,
        `${twoSeconds.toFixed(1)}秒間、二台が書き込みを受けます。`,
      )
    : t(' There is one primary at most.', 'プライマリは常に一台までです。')
  return seen + two + price
}
