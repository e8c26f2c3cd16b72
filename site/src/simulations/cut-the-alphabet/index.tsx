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
import { Alphabet } from './Alphabet.tsx'
import {
  LAST_CUT,
  LETTERS,
  partitionsOf,
  simulate,
  SOURCES,
  type Outcome,
  type Population,
  type Settings,
} from './model.ts'

const START: Settings = {
  population: 'uniform',
  own: '',
  cut: 12,
  requestsPerSecond: 300,
  capacity: 200,
  celebrity: false,
}

/** Where do you cut the alphabet? Half of the letters is not half of the load. */
export default function CutTheAlphabet() {
  const t = useSay()
  const [settings, setSettings] = useState(START)
  const set = (change: Partial<Settings>) => setSettings((before) => ({ ...before, ...change }))
  const moveCut = (cut: number) =>
    setSettings((before) => ({ ...before, cut, movedFrom: before.movedFrom ?? before.cut }))
  const outcome = simulate(settings)
  const percent = (n: number) => `${Math.round(n * 100)} %`
  return (
    <Stage
      title={t('Where do you cut the alphabet?', 'アルファベットをどこで切りますか')}
      lead={t(
        'Choose who the users are, then move the cut. Both servers are equally strong.',
        'ユーザーを選び、切れ目を動かしてください。サーバーの能力は2台とも同じです。',
      )}
      note={sourceNote(settings.population, t)}
    >
      <Controls>
        <Choices<Population>
          label={t('The users', 'ユーザー')}
          value={settings.population}
          options={[
            ['uniform', t('all letters alike', '全部の文字が同数')],
            ['us', t('US given names', 'アメリカの名前')],
            ['jp', t('Japanese surnames', '日本の名字')],
            ['own', t('your own', '自分で入力')],
          ]}
          onChange={(population) => set({ population, movedFrom: undefined })}
        />
        {settings.population === 'own' && (
          <OwnNames value={settings.own} refused={outcome.refused} onChange={(own) => set({ own })} />
        )}
      </Controls>
      <Alphabet letters={outcome.letters} cut={settings.cut} />
      <Slider
        label={t('Cut', '切れ目')}
        value={settings.cut}
        min={0}
        max={LAST_CUT}
        shown={outcome.partitions.join(' | ')}
        onChange={moveCut}
      />
      <div>
        {outcome.partitions.map((partition, i) => (
          <Meter
            key={i}
            label={`server-${i + 1}  ${partition}`}
            value={outcome.requests[i] ?? 0}
            max={Math.max(settings.requestsPerSecond, settings.capacity) * 1.02}
            limit={settings.capacity}
            over={outcome.overloaded[i] ?? false}
            shown={`${Math.round(outcome.requests[i] ?? 0)} req/s · ${percent(outcome.shares[i] ?? 0)}`}
            color={`var(--${i === 0 ? 'one' : 'two'})`}
          />
        ))}
      </div>
      <Readouts>
        <Readout
          label={t('the pair carries', '2台で処理できる量')}
          value={`${Math.floor(outcome.pairCapacity)} req/s`}
        />
        <Readout
          label={t('speed-up over one', '1台に対する倍率')}
          value={`× ${outcome.speedUp.toFixed(2)}`}
          note={t(
            `best cut: × ${outcome.best.speedUp.toFixed(2)} after ${LETTERS[outcome.best.cut]}`,
            `最良は${LETTERS[outcome.best.cut]}の後で×${outcome.best.speedUp.toFixed(2)}`,
          )}
        />
        <Readout
          label={t('users who move house', '引っ越すユーザー')}
          value={percent(outcome.moved)}
          note={movedNote(settings, t)}
        />
      </Readouts>
      <Controls>
        <Slider
          label={t('All requests', '全体のリクエスト')}
          value={settings.requestsPerSecond}
          min={50}
          max={600}
          step={10}
          shown={`${settings.requestsPerSecond} req/s`}
          onChange={(requestsPerSecond) => set({ requestsPerSecond })}
        />
        <Slider
          label={t('One server carries', '1台の能力')}
          value={settings.capacity}
          min={50}
          max={400}
          step={10}
          shown={`${settings.capacity} req/s`}
          onChange={(capacity) => set({ capacity })}
        />
        <Toggle
          label={t('One celebrity (“Kim”) sends 20 % of it', '有名人1人（Kim）が全体の20 %を占める')}
          value={settings.celebrity}
          onChange={(celebrity) => set({ celebrity })}
        />
        <Legend
          items={[
            ['var(--one)', 'server-1'],
            ['var(--two)', 'server-2'],
          ]}
        />
      </Controls>
      <Told>{sentence(settings, outcome, t)}</Told>
    </Stage>
  )
}

function OwnNames({
  value,
  refused,
  onChange,
}: {
  value: string
  refused: string[]
  onChange: (value: string) => void
}) {
  const t = useSay()
  return (
    <label style={{ gridColumn: '1 / -1' }}>
      {t('Names, separated by spaces', '名前（空白区切り）')}
      <textarea
        value={value}
        rows={2}
        maxLength={2_000}
        onChange={(event) => onChange(event.target.value)}
        placeholder="alice bob nancy"
      />
      {refused.length > 0 && (
        <span role="status">
          {t(
            'No server owns these, so both answer 400: ',
            'どちらのサーバーのものでもないため、両方が400を返します：',
          )}
          {refused.slice(0, 8).join(', ')}
        </span>
      )}
    </label>
  )
}

/** What the picture says, in words. */
function sentence(settings: Settings, { partitions, shares, overloaded, speedUp }: Outcome, t: Say): string {
  const [one, two] = shares.map((s) => Math.round(s * 100)) as [number, number]
  if (one + two === 0)
    return t('Nobody is there yet: type a name.', 'まだ誰もいません。名前を入力してください。')
  const split = t(
    `server-1 has ${partitions[0]} and ${one} % of the load, server-2 has ${partitions[1]} and ${two} %.`,
    `server-1は${partitions[0]}で負荷の${one} %、server-2は${partitions[1]}で${two} %です。`,
  )
  const full = overloaded.flatMap((over, i) => (over ? [`server-${i + 1}`] : []))
  const state =
    full.length > 0
      ? t(
          `${full.join(' and ')} cannot carry its part${full.length === 1 ? ', although the other has room' : ''}.`,
          `${full.join('と')}は担当分をさばけません。${full.length === 1 ? 'もう1台には空きがあります。' : ''}`,
        )
      : t('Both carry their part.', '2台とも担当分をさばけます。')
  const gain = t(
    `Together they do ${speedUp.toFixed(2)} times what one does.`,
    `2台で1台の${speedUp.toFixed(2)}倍です。`,
  )
  const star = settings.celebrity
    ? t(' The celebrity is on one server wherever you cut.', 'どこで切っても、有名人は1台に載ったままです。')
    : ''
  return t(`${split} ${state} ${gain}${star}`, `${split}${state}${gain}${star}`)
}

function movedNote({ movedFrom, cut }: Settings, t: Say): string {
  if (movedFrom === undefined || movedFrom === cut) return t('move the cut to see', '切れ目を動かすと出ます')
  const [before] = partitionsOf(movedFrom)
  return t(`since server-1 had ${before}`, `server-1が${before}だったときから`)
}

function sourceNote(population: Population, t: Say): string {
  const code = t(
    'Who owns a name is decided by solutions/02-dual-servers/src/partition.ts, the file that the tests run.',
    '誰がどちらの担当かは、テストが動かすのと同じsolutions/02-dual-servers/src/partition.tsが決めています。',
  )
  const source =
    population === 'us' || population === 'jp'
      ? t(`Names: ${SOURCES[population].en}. `, `名前の出典：${SOURCES[population].ja}。`)
      : ''
  return source + code
}
