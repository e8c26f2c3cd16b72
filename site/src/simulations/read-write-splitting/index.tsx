import { useState } from 'react'
import {
  Choices,
  Controls,
  Legend,
  Meter,
  Readout,
  Readouts,
  Slider,
  Stage,
  Toggle,
  Told,
} from '../../kit/index.ts'
import { useSay, type Say } from '../../text.ts'
import styles from './Curve.module.css'
import { MOST_REPLICAS, SAMPLES, simulate, type Outcome, type SampleName, type Settings } from './model.ts'

const START: Settings = {
  sql: SAMPLES.cte.sql,
  strong: false,
  readPercent: 90,
  replicas: 2,
  capacity: 1000,
  replayPercent: 0,
}

/** Where does it go, and how far does it scale? */
export default function ReadWriteSplitting() {
  const t = useSay()
  const [settings, setSettings] = useState(START)
  const set = (change: Partial<Settings>) => setSettings((before) => ({ ...before, ...change }))
  const outcome = simulate(settings)
  const count = (n: number) => Math.round(n).toLocaleString('en-GB')
  const rate = (n: number) => `${count(n)} req/s`
  const percent = (n: number) => `${Math.round(n * 100)} %`
  return (
    <Stage
      title={t('Where does it go, and how far does it scale?', 'どこへ行き、どこまで伸びますか')}
      lead={t(
        'Above: pick a statement or type one. Below: how much the nodes carry together.',
        '上では文を選ぶか入力します。下では、ノード全体で処理できる量を試せます。',
      )}
      note={t(
        'The route is decided by solutions/06-read-write-splitting/src/classify.ts, the file that the tests run; the source’s regular expression is copied from 001_c8f953af85313e8a.txt.',
        '行き先は、テストが動かすのと同じsolutions/06-read-write-splitting/src/classify.tsが決めています。資料の正規表現は001_c8f953af85313e8a.txtのものです。',
      )}
    >
      <Controls>
        <Choices<SampleName | 'own'>
          label={t('Statement', '文')}
          value={sampleOf(settings.sql)}
          options={[
            ['read', t('a read', '読み取り')],
            ['cte', <code>WITH … INSERT</code>],
            ['locking', <code>FOR UPDATE</code>],
            ['function', t('a function', '関数')],
            ['comment', t('a comment first', 'コメントが先')],
            ['literal', t('a literal', 'リテラル')],
            ['advisory', t('an advisory lock', 'アドバイザリロック')],
            ['begin', <code>BEGIN</code>],
            ['own', t('your own', '自分で入力')],
          ]}
          onChange={(name) => set({ sql: name === 'own' ? 'SELECT ' : SAMPLES[name].sql })}
        />
        <label style={{ gridColumn: '1 / -1' }}>
          SQL
          <textarea
            value={settings.sql}
            rows={3}
            maxLength={2_000}
            spellCheck={false}
            onChange={(event) => set({ sql: event.target.value })}
          />
        </label>
        <Toggle
          label={t('consistency: "strong"', 'consistency: "strong"')}
          value={settings.strong}
          onChange={(strong) => set({ strong })}
        />
      </Controls>
      <dl className={styles.routes}>
        <div>
          <dt>{t('the solution', '解答例')}</dt>
          <dd>
            <strong>{place(outcome, t)}</strong>
            {reason(outcome, t)}
          </dd>
        </div>
        <div>
          <dt>{t('the source’s first word', '資料の「先頭の単語」')}</dt>
          <dd>
            <strong>
              {outcome.seed === 'primary' ? t('the primary', 'プライマリ') : t('a replica', 'レプリカ')}
            </strong>
            {consequence(outcome, t)}
          </dd>
        </div>
      </dl>
      <div className={styles.curve} aria-hidden="true">
        {outcome.curve.map((value, n) => (
          <div key={n} className={styles.bar} data-chosen={n === settings.replicas || undefined}>
            <i style={{ height: `${Math.round((value / Math.max(...outcome.curve)) * 130)}px` }} />
            <span>{n}</span>
          </div>
        ))}
      </div>
      <div>
        <Meter
          label={t('primary', 'プライマリ')}
          value={outcome.primaryLoad}
          max={1.02}
          limit={1}
          shown={percent(outcome.primaryLoad)}
          color="var(--one)"
        />
        <Meter
          label={t('each replica', '各レプリカ')}
          value={outcome.replicaLoad}
          max={1.02}
          limit={1}
          shown={percent(outcome.replicaLoad)}
          color="var(--two)"
        />
      </div>
      <Readouts>
        <Readout
          label={t('all nodes carry, req/s', '全ノードの処理量（req/s）')}
          value={count(outcome.throughput)}
          note={`× ${outcome.speedUp.toFixed(2)}`}
        />
        <Readout
          label={t('one more adds, req/s', 'もう1台の効果（req/s）')}
          value={`+ ${count(outcome.gainOfNext)}`}
        />
        <Readout
          label={t('never above, req/s', '何台でも超えない値（req/s）')}
          value={Number.isFinite(outcome.ceiling) ? count(outcome.ceiling) : t('no limit', '上限なし')}
          note={t('capacity ÷ share of writes', '1台の能力 ÷ 書き込みの割合')}
        />
      </Readouts>
      <Controls>
        <Slider
          label={t('Reads', '読み取りの割合')}
          value={settings.readPercent}
          min={0}
          max={100}
          shown={`${settings.readPercent} %`}
          onChange={(readPercent) => set({ readPercent })}
        />
        <Slider
          label={t('Replicas', 'レプリカの台数')}
          value={settings.replicas}
          min={0}
          max={MOST_REPLICAS}
          shown={String(settings.replicas)}
          onChange={(replicas) => set({ replicas })}
        />
        <Slider
          label={t('One node carries', '1台の能力')}
          value={settings.capacity}
          min={100}
          max={5000}
          step={100}
          shown={rate(settings.capacity)}
          onChange={(capacity) => set({ capacity })}
        />
        <Slider
          label={t('Replaying a write costs', '書き込みの再生の重さ')}
          value={settings.replayPercent}
          min={0}
          max={100}
          step={5}
          shown={t(`${settings.replayPercent} % of running it`, `実行の${settings.replayPercent} %`)}
          onChange={(replayPercent) => set({ replayPercent })}
        />
        <Legend
          items={[
            ['var(--one)', t('chosen number of replicas; primary', '選んだ台数、プライマリ')],
            ['var(--two)', t('other numbers; replicas', 'ほかの台数、レプリカ')],
          ]}
        />
      </Controls>
      <Told>{sentence(settings, outcome, rate, t)}</Told>
    </Stage>
  )
}

function sampleOf(sql: string): SampleName | 'own' {
  const names = Object.keys(SAMPLES) as SampleName[]
  return names.find((name) => SAMPLES[name].sql === sql) ?? 'own'
}

function place({ gateway }: Outcome, t: Say): string {
  if (gateway.to === 'refused') return t('refused: 400 session_statement', '拒否：400 session_statement')
  return gateway.to === 'primary' ? t('the primary', 'プライマリ') : t('a replica', 'レプリカ')
}

function reason({ gateway, onReplica }: Outcome, t: Say): string {
  switch (gateway.because) {
    case 'session':
      return t(
        'It would change a connection that the next caller gets.',
        '次の呼び出し元が使う接続を変えてしまいます。',
      )
    case 'write':
      return t(
        'It writes, or a replica would answer it wrongly without an error.',
        '書き込みか、レプリカではエラーなしに誤答する文です。',
      )
    case 'strong':
      return t(
        'Only the primary has everything that was committed.',
        'コミット済みのすべてを持つのはプライマリだけです。',
      )
    default:
      return onReplica === 'refuses'
        ? t(
            'The replica refuses it (25006), nothing has happened, and the primary runs it.',
            'レプリカが25006で拒みます。まだ何も起きていないので、プライマリが実行します。',
          )
        : t(
            'Nothing says that it writes. If it does, the replica refuses it and the primary runs it.',
            '書き込みの徴候がありません。もし書き込むなら、レプリカが拒み、プライマリが実行します。',
          )
  }
}

function consequence({ seed, onReplica }: Outcome, t: Say): string {
  if (seed === 'primary') return t('It runs.', '実行されます。')
  switch (onReplica) {
    case 'refuses':
      return t(
        'It fails there (25006). The source repeats it on the primary, as it repeats every error.',
        'そこで失敗します（25006）。資料のコードは、どのエラーでもそうするように、プライマリで繰り返します。',
      )
    case 'runs and is wrong':
      return t(
        'It succeeds there, and that is worse: nobody sees an error.',
        'そこで成功してしまいます。エラーが見えないぶん、失敗より厄介です。',
      )
    case 'runs':
      return t('It runs.', '実行されます。')
    default:
      return t(
        'Whatever fails there, the source repeats on the primary.',
        'そこで何が失敗しても、資料のコードはプライマリで繰り返します。',
      )
  }
}

/** What the picture says, in words. */
function sentence(
  { replicas, readPercent }: Settings,
  { throughput, gainOfNext, primaryLoad, replicaLoad }: Outcome,
  rate: (n: number) => string,
  t: Say,
): string {
  const carry = t(
    `With ${replicas} replica${replicas === 1 ? '' : 's'} and ${readPercent} % reads the nodes carry ${rate(throughput)}.`,
    `レプリカ${replicas}台、読み取り${readPercent} %で、全体の処理量は${rate(throughput)}です。`,
  )
  const full =
    primaryLoad > 0.999
      ? t(
          'The primary is full: more replicas change nothing.',
          'プライマリが限界です。レプリカを増やしても変わりません。',
        )
      : t(
          `The replicas are full (${Math.round(replicaLoad * 100)} %), the primary is not: one more adds ${rate(gainOfNext)}.`,
          `限界なのはレプリカ（${Math.round(replicaLoad * 100)} %）で、プライマリには空きがあります。もう1台で${rate(gainOfNext)}増えます。`,
        )
  const none = t('The primary serves everything.', 'すべてプライマリが処理します。')
  return t(`${carry} ${replicas === 0 ? none : full}`, `${carry}${replicas === 0 ? none : full}`)
}
