import { useMemo, useState } from 'react'
import { Choices, Controls, Legend, Readout, Readouts, Slider, Stage, Toggle, Told } from '../../kit/index.ts'
import { useSay, type Say } from '../../text.ts'
import { Lanes } from './Lanes.tsx'
import { simulate, type Mode, type Result, type Settings } from './model.ts'

const START: Settings = {
  servers: 4,
  readsPerSecond: 200,
  keys: 100,
  popularity: 1,
  writesPerSecond: 5,
  l1TtlMs: 4000,
  delayMs: 1,
  lossPercent: 0,
  mode: 'none',
  unplugged: false,
  seed: 1,
}

/** Ten seconds of four servers that each remember for themselves. */
export default function FourMemories() {
  const t = useSay()
  const [settings, setSettings] = useState(START)
  const set = (change: Partial<Settings>) => setSettings((before) => ({ ...before, ...change }))
  const result = useMemo(() => simulate(settings), [settings])
  return (
    <Stage
      title={t('Four memories', '四つのメモリ')}
      lead={t(
        'The first ten seconds after a deployment. Add servers, tell them of writes in different ways, pull a plug.',
        'デプロイ直後の10秒間です。サーバーを増やし、書き込みの知らせ方を変え、線を抜いてみてください。',
      )}
      note={t(
        'Each lane is an instance of solutions/11-two-tier-cache/src/l1.ts, the file that the tests run, on a clock of its own. A read of Redis takes 2 ms, one of Postgres 20 ms.',
        '各レーンは、テストが動かすのと同じsolutions/11-two-tier-cache/src/l1.tsを仮想の時計で動かしたものです。Redisの読み取りは2ミリ秒、Postgresは20ミリ秒です。',
      )}
    >
      <Lanes lanes={result.lanes} unplugged={settings.unplugged} />
      <Legend
        items={[
          [
            'color-mix(in srgb, var(--one) 30%, var(--paper))',
            t('fresh, from a cache', '新しい値（キャッシュから）'),
          ],
          [
            'linear-gradient(to top, var(--one) 45%, transparent 45%)',
            t('a read went to Postgres', 'Postgresまで読みに行った'),
          ],
          [
            'repeating-linear-gradient(135deg, var(--two) 0 3px, transparent 3px 5px)',
            t('a stale answer', '古い値を返した'),
          ],
        ]}
      />
      <Knobs settings={settings} set={set} />
      <Readouts>
        <Readout
          label={t('stale reads', '古い値を返した読み取り')}
          value={percent(result.stale / Math.max(1, result.reads), 2)}
          note={t(`up to ${seconds(result.oldestMs)} old`, `最大で${seconds(result.oldestMs)}古い`)}
        />
        <Readout label={t('L1 hits', 'L1のヒット')} value={percent(result.l1)} />
        <Readout label={t('L2 hits', 'L2のヒット')} value={percent(result.l2)} />
        <Readout
          label={t('reads of Postgres', 'Postgresの読み取り')}
          value={`${result.databasePerSecond.toFixed(1)}/s`}
          note={t(`of ${settings.readsPerSecond}/s`, `毎秒${settings.readsPerSecond}件のうち`)}
        />
      </Readouts>
      <Told>{sentence(settings, result, t)}</Told>
    </Stage>
  )
}

function Knobs({ settings, set }: { settings: Settings; set: (change: Partial<Settings>) => void }) {
  const t = useSay()
  return (
    <Controls>
      <Choices<Mode>
        label={t('How they hear of writes', '書き込みの知らせ方')}
        value={settings.mode}
        options={[
          ['none', t('not at all', 'なし')],
          ['pubsub', t('publish', 'publish')],
          ['flush', t('+ flush when reconnected', '+再接続でL1を捨てる')],
          ['versions', t('+ versions', '+版を比べる')],
        ]}
        onChange={(mode) => set({ mode })}
      />
      <Toggle
        label={t('unplug s1 from Redis, 3 s to 4 s', '3秒から4秒までs1とRedisの間を抜く')}
        value={settings.unplugged}
        onChange={(unplugged) => set({ unplugged })}
      />
      <Slider
        label={t('Servers', 'サーバー')}
        value={settings.servers}
        min={1}
        max={8}
        shown={String(settings.servers)}
        onChange={(servers) => set({ servers })}
      />
      <Slider
        label={t('L1 TTL', 'L1のTTL')}
        value={settings.l1TtlMs}
        min={500}
        max={12_000}
        step={500}
        shown={seconds(settings.l1TtlMs)}
        onChange={(l1TtlMs) => set({ l1TtlMs })}
      />
      <Slider
        label={t('Reads, all servers together', '読み取り（全サーバーの合計）')}
        value={settings.readsPerSecond}
        min={50}
        max={500}
        step={50}
        shown={`${settings.readsPerSecond}/s`}
        onChange={(readsPerSecond) => set({ readsPerSecond })}
      />
      <Slider
        label={t('Writes', '書き込み')}
        value={settings.writesPerSecond}
        min={0}
        max={50}
        step={5}
        shown={`${settings.writesPerSecond}/s`}
        onChange={(writesPerSecond) => set({ writesPerSecond })}
      />
      <Slider
        label={t('Keys', 'キー')}
        value={settings.keys}
        min={20}
        max={400}
        step={20}
        shown={String(settings.keys)}
        onChange={(keys) => set({ keys })}
      />
      <Slider
        label={t('Popularity (Zipf exponent)', '人気の偏り（Zipfの指数）')}
        value={settings.popularity}
        min={0}
        max={1.4}
        step={0.2}
        shown={settings.popularity.toFixed(1)}
        onChange={(popularity) => set({ popularity })}
      />
      <Slider
        label={t('A message takes', 'メッセージが届くまで')}
        value={settings.delayMs}
        min={1}
        max={200}
        shown={`${settings.delayMs} ms`}
        onChange={(delayMs) => set({ delayMs })}
      />
      <Slider
        label={t('Messages lost', '失われるメッセージ')}
        value={settings.lossPercent}
        min={0}
        max={20}
        shown={`${settings.lossPercent} %`}
        onChange={(lossPercent) => set({ lossPercent })}
      />
    </Controls>
  )
}

const percent = (share: number, digits = 0): string => `${(share * 100).toFixed(digits)} %`
const seconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 1000 ? 2 : 1)} s`

/** What the picture says, in words. */
function sentence({ servers }: Settings, { reads, stale, l1, l2, oldestMs }: Result, t: Say): string {
  const hits = t(
    `${servers} ${servers === 1 ? 'server answers' : 'servers answer'} ${percent(l1)} of ${reads} reads from memory and ${percent(l2)} from Redis.`,
    `${servers}台が、${reads}回の読み取りの${percent(l1)}をメモリから、${percent(l2)}をRedisから返しました。`,
  )
  const old =
    stale === 0
      ? t(' None was stale.', '古い値は返していません。')
      : t(
          ` ${stale} were stale, the worst by ${seconds(oldestMs)}.`,
          `古い値は${stale}回、最も古いもので${seconds(oldestMs)}前のものです。`,
        )
  return hits + old
}
