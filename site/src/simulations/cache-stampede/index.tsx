import { useMemo, useState } from 'react'
import { Choices, Controls, Readout, Readouts, Slider, Stage, Toggle, Told } from '../../kit/index.ts'
import { useSay, type Say } from '../../text.ts'
import { simulate, type Happening, type Outcome, type Settings } from './model.ts'
import { Seconds } from './Seconds.tsx'

const START: Settings = {
  readers: 200,
  deltaMs: 300,
  ttl: 60,
  servers: 4,
  capacity: 4,
  flight: false,
  lock: false,
  stale: false,
  beta: 0,
  limit: false,
  happening: 'expiry',
  seed: 1,
}

/** The moment at which a popular entry ends: who computes, who waits, what Postgres carries. */
export default function CacheStampede() {
  const t = useSay()
  const [settings, setSettings] = useState(START)
  const set = (change: Partial<Settings>) => setSettings((before) => ({ ...before, ...change }))
  const outcome = useMemo(() => simulate(settings), [settings])
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  return (
    <Stage
      title={t('The sixtieth second', '60秒目')}
      lead={t(
        'One popular entry ends at 0. Choose what protects it, and what else happens.',
        '人気のあるエントリーが0秒で切れます。何で守るか、ほかに何が起きるかを選んでください。',
      )}
      note={t(
        'Who refreshes early is decided by solutions/12-cache-stampede/src/xfetch.ts, the file that the tests run. More statements than Postgres can do at once share it and get slower.',
        '誰が早めに更新するかは、テストが動かすのと同じsolutions/12-cache-stampede/src/xfetch.tsが決めています。Postgresの能力を超えたSQLは、能力を分け合って遅くなります。',
      )}
    >
      <Controls>
        <Choices<Happening>
          label={t('At second 0', '0秒に起きること')}
          value={settings.happening}
          options={[
            ['expiry', t('the entry ends', 'エントリーが切れる')],
            ['killed', t('and the first who computes is killed', '最初に計算した人が強制終了される')],
            ['redis', t('Redis stops; all keys are read', 'Redisが止まり、全キーが読まれる')],
          ]}
          onChange={(happening) => set({ happening })}
        />
        <Toggle
          label={t('single flight', 'サーバー内で一便')}
          value={settings.flight}
          onChange={(flight) => set({ flight })}
        />
        <Toggle
          label={t('lock in Redis', 'Redisのロック')}
          value={settings.lock}
          onChange={(lock) => set({ lock })}
        />
        <Toggle
          label={t('serve stale meanwhile', 'その間は古い値を返す')}
          value={settings.stale}
          onChange={(stale) => set({ stale })}
        />
        <Toggle
          label={t('limit and bounded queue', '上限と有限の待ち行列')}
          value={settings.limit}
          onChange={(limit) => set({ limit })}
        />
        <Slider
          label={t('XFetch β', 'XFetchのβ')}
          value={settings.beta}
          min={0}
          max={4}
          step={0.5}
          shown={settings.beta === 0 ? t('never early', '早めの更新なし') : String(settings.beta)}
          onChange={(beta) => set({ beta })}
        />
      </Controls>
      <Seconds {...outcome} />
      <Readouts>
        <Readout
          label={t('computations', '計算の回数')}
          value={outcome.computations.toLocaleString('en-GB')}
        />
        <Readout
          label={t('longest wait', '最長の待ち')}
          value={seconds(outcome.longestWaitMs)}
          note={newEntry(settings, outcome, t)}
        />
        <Readout
          label={t('refused or lost', '拒否または喪失')}
          value={outcome.refused.toLocaleString('en-GB')}
        />
        <Readout label={t('oldest answer', '最も古い応答')} value={seconds(outcome.oldestMs)} />
      </Readouts>
      <Controls>
        <Slider
          label={t('Readers', '読み手')}
          value={settings.readers}
          min={1}
          max={1000}
          shown={t(`${settings.readers} a second`, `毎秒${settings.readers}人`)}
          onChange={(readers) => set({ readers })}
        />
        <Slider
          label={t('One computation', '計算1回')}
          value={settings.deltaMs}
          min={50}
          max={2000}
          step={50}
          shown={`${settings.deltaMs} ms`}
          onChange={(deltaMs) => set({ deltaMs })}
        />
        <Slider
          label="TTL"
          value={settings.ttl}
          min={10}
          max={120}
          step={10}
          shown={`${settings.ttl} s`}
          onChange={(ttl) => set({ ttl })}
        />
        <Slider
          label={t('Servers', 'サーバー')}
          value={settings.servers}
          min={1}
          max={16}
          shown={String(settings.servers)}
          onChange={(servers) => set({ servers })}
        />
        <Slider
          label={t('Postgres does at once', 'Postgresが同時にこなす数')}
          value={settings.capacity}
          min={1}
          max={100}
          shown={String(settings.capacity)}
          onChange={(capacity) => set({ capacity })}
        />
      </Controls>
      <Told>{sentence(settings, outcome, t)}</Told>
    </Stage>
  )
}

function newEntry({ happening }: Settings, { filledAt }: Outcome, t: Say): string {
  if (happening === 'redis') return t('never filled', '更新できない')
  if (filledAt === undefined) return t('not filled yet', 'まだ更新なし')
  return t(`filled at ${filledAt.toFixed(1)} s`, `${filledAt.toFixed(1)}秒に更新`)
}

/** What the picture says, in words. */
function sentence({ happening, capacity }: Settings, outcome: Outcome, t: Say): string {
  const { computations, mostRunning, filledAt, firstAt, refused } = outcome
  const load = t(
    `${computations} computations, at most ${mostRunning} at once; Postgres does ${capacity}.`,
    `計算は${computations}回、同時に最大${mostRunning}件（能力は${capacity}件）です。`,
  )
  if (happening === 'redis')
    return t(
      `${load} ${refused} readers were told 503 at once.`,
      `${load}${refused}人の読み手には、すぐに503を返しました。`,
    )
  if (filledAt === undefined)
    return t(
      `${load} After 20 s none has ended: Postgres is too busy.`,
      `${load}20秒たっても、一つも終わりません。`,
    )
  const begun = (firstAt ?? 0).toFixed(1)
  return t(
    `${load} The first began at ${begun} s, the new entry was there at ${filledAt.toFixed(1)} s.`,
    `${load}最初の計算は${begun}秒に始まり、${filledAt.toFixed(1)}秒に新しい値ができました。`,
  )
}
