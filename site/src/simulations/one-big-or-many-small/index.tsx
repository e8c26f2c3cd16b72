import { useState } from 'react'
import { Choices, Controls, Meter, Readout, Readouts, Slider, Stage, Told } from '../../kit/index.ts'
import { useSay, type Say } from '../../text.ts'
import { Machines } from './Machines.tsx'
import styles from './Machines.module.css'
import { MOST_MACHINES, simulate, type Event, type Outcome, type Settings } from './model.ts'

const START: Settings = {
  load: 300,
  ms: 20,
  cores: 8,
  machines: 1,
  premium: 15,
  pool: 10,
  maxConnections: 100,
  databaseSlots: 8,
  event: 'none',
}

/** One big or many small? */
export default function OneBigOrManySmall() {
  const t = useSay()
  const [settings, setSettings] = useState(START)
  const set = (change: Partial<Settings>) => setSettings((before) => ({ ...before, ...change }))
  const outcome = simulate(settings)
  const { connections } = outcome
  return (
    <Stage
      title={t('One big or many small?', '大きい1台か、小さい多数か')}
      lead={t(
        'Give the same cores to one machine or to several, then kill one. After that, add machines until nothing grows but the number of connections.',
        '同じコア数を、1台にまとめるか、何台かに分けます。次に1台を落とします。最後に、接続数しか増えなくなるまで台数を足してください。',
      )}
      note={t(
        'The connections of each worker are decided by solutions/01-stateless-services/src/share.ts, the file that the tests run. Waiting is an M/M/c queue for each machine.',
        '各ワーカーの接続数は、テストが動かすのと同じsolutions/01-stateless-services/src/share.tsが決めています。待ち時間は、1台ごとのM/M/c待ち行列です。',
      )}
    >
      <Machines settings={settings} outcome={outcome} />
      <div>
        <Meter
          label={t('cores busy', 'コアの使用率')}
          value={outcome.utilisation}
          max={1.02}
          limit={1}
          shown={percent(outcome.utilisation)}
          color="var(--one)"
          over={outcome.utilisation >= 1}
        />
        <Meter
          label={t('connections wanted, of those Postgres gives', '必要な接続数と、Postgresが許す数')}
          value={connections.wanted}
          max={Math.max(connections.wanted, connections.allowed) * 1.02}
          limit={connections.allowed}
          shown={`${connections.wanted} / ${connections.allowed}`}
          color="var(--two)"
          over={connections.refused > 0}
        />
        <p className={styles.workers}>
          {t(
            `each instance's workers: ${outcome.workers.join(', ')}`,
            `1インスタンスのワーカーごと：${outcome.workers.join('、')}`,
          )}
        </p>
      </div>
      <Readouts>
        <Readout
          label={t('answered, req/s', '応答できる数（req/s）')}
          value={String(Math.round(outcome.throughput))}
          note={t(
            `one more machine: + ${Math.round(outcome.gainOfNext)} at most`,
            `もう1台の効果：最大 + ${Math.round(outcome.gainOfNext)}`,
          )}
        />
        <Readout
          label={t('wait for a core', 'コアを待つ時間')}
          value={outcome.waitMs === undefined ? t('no end', '際限なし') : `${outcome.waitMs.toFixed(1)} ms`}
        />
        <Readout
          label={t('not answered', '応答できない割合')}
          value={percent(outcome.failing)}
          note={during(settings.event, t)}
        />
        <Readout label={t('price, in cores', '価格（コア換算）')} value={outcome.price.toFixed(1)} />
      </Readouts>
      <Inputs settings={settings} set={set} />
      <Told>{sentence(settings, outcome, t)}</Told>
    </Stage>
  )
}

function Inputs({ settings, set }: { settings: Settings; set: (change: Partial<Settings>) => void }) {
  const t = useSay()
  return (
    <Controls>
      <Choices<Event>
        label={t('What happens', '起きること')}
        value={settings.event}
        options={[
          ['none', t('an ordinary day', '平常')],
          ['kill', t('one machine is killed', '1台が落ちる')],
          ['deploy', t('a deploy, one after the other', '1台ずつデプロイ')],
        ]}
        onChange={(event) => set({ event })}
      />
      <Choices<string>
        label={t('Cores of a machine', '1台のコア数')}
        value={String(settings.cores)}
        options={[
          ['2', '2'],
          ['4', '4'],
          ['8', '8'],
        ]}
        onChange={(cores) => set({ cores: Number(cores) })}
      />
      <Slider
        label={t('Machines', '台数')}
        value={settings.machines}
        min={1}
        max={MOST_MACHINES}
        shown={String(settings.machines)}
        onChange={(machines) => set({ machines })}
      />
      <Slider
        label={t('Load', '負荷')}
        value={settings.load}
        min={50}
        max={3000}
        step={50}
        shown={`${settings.load} req/s`}
        onChange={(load) => set({ load })}
      />
      <Slider
        label={t('A request takes', '1リクエストの時間')}
        value={settings.ms}
        min={5}
        max={50}
        step={5}
        shown={`${settings.ms} ms`}
        onChange={(ms) => set({ ms })}
      />
      <Slider
        label={t('A core costs more with each doubling', '倍の大きさごとの割増')}
        value={settings.premium}
        min={0}
        max={50}
        step={5}
        shown={`${settings.premium} %`}
        onChange={(premium) => set({ premium })}
      />
      <Slider
        label={t('Pool of each instance', '1インスタンスのプール')}
        value={settings.pool}
        min={2}
        max={40}
        shown={String(settings.pool)}
        onChange={(pool) => set({ pool })}
      />
      <Slider
        label="max_connections"
        value={settings.maxConnections}
        min={20}
        max={400}
        step={10}
        shown={String(settings.maxConnections)}
        onChange={(maxConnections) => set({ maxConnections })}
      />
      <Slider
        label={t('Postgres runs at once', 'Postgresが同時に実行できる数')}
        value={settings.databaseSlots}
        min={2}
        max={32}
        shown={String(settings.databaseSlots)}
        onChange={(databaseSlots) => set({ databaseSlots })}
      />
    </Controls>
  )
}

const percent = (share: number): string => `${Math.round(share * 100)} %`

function during(event: Event, t: Say): string {
  if (event === 'kill') return t('until it is started again', '起動し直すまで')
  return event === 'deploy' ? t('while one is away', '1台が抜けている間') : t('on an ordinary day', '平常時')
}

/** What the picture says, in words. */
function sentence(settings: Settings, outcome: Outcome, t: Say): string {
  const { machines, cores, load, event } = settings
  const { connections, appCapacity, databaseCapacity, failing } = outcome
  const who = t(
    `${machines} × ${cores} cores carry ${Math.round(appCapacity)} requests a second, the database ${Math.round(databaseCapacity)}; ${load} come.`,
    `${machines}台 × ${cores}コアは毎秒${Math.round(appCapacity)}件、データベースは毎秒${Math.round(databaseCapacity)}件まで処理できます。来るのは${load}件です。`,
  )
  const lost =
    event === 'none'
      ? ''
      : t(
          ` With one machine away ${percent(failing)} get no answer.`,
          `1台が抜けている間、${percent(failing)}は応答を得られません。`,
        )
  const full =
    connections.refused > 0
      ? t(
          ` ${connections.refused} of ${connections.wanted} connections are refused: the machine that was not scaled is Postgres.`,
          `接続${connections.wanted}本のうち${connections.refused}本は拒否されます。増やさなかった機械、Postgresが限界です。`,
        )
      : ''
  const idle = outcome.workers.includes(0)
    ? t(' Some workers would get no connection.', '接続をもらえないワーカーがあります。')
    : ''
  return who + lost + full + idle
}
