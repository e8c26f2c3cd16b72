import { useState } from 'react'
import { Choices, Controls, Legend, Readout, Readouts, Slider, Stage, Told } from '../../kit/index.ts'
import { useSay, type Say } from '../../text.ts'
import { Nodes } from './Nodes.tsx'
import { Slots } from './Slots.tsx'
import { simulate, NODES, type Client, type Result, type Rule, type Settings } from './model.ts'

const START: Settings = {
  rule: 'healthy',
  write: 3,
  read: 3,
  sides: ['A', 'A', 'A', 'B', 'B'],
  reached: 0,
}

/** Which node has a key, and who may answer for a value when the wire is cut? */
export default function CutTheWire() {
  const t = useSay()
  const [settings, setSettings] = useState(START)
  const set = (change: Partial<Settings>) => setSettings((before) => ({ ...before, ...change }))
  const result = simulate(settings)
  const flip = (node: number) =>
    set({ sides: settings.sides.map((side, i): Client => (i === node ? (side === 'A' ? 'B' : 'A') : side)) })
  return (
    <Stage
      title={t('Cut the wire', '線を切る')}
      lead={t(
        'Above: which node has a key. Below: put each of five nodes on one side of a cut, and choose the rule by which a write is acknowledged.',
        '上では、キーがどのノードにあるかを見ます。下では、5台のノードを分断のどちら側に置くかと、書き込みを承認する規則を選びます。',
      )}
      note={t(
        'Slots are computed by solutions/13-redis-cluster/src/slots.ts, versions are compared by src/version.ts beside it: the files that the tests run.',
        'スロットの計算はsolutions/13-redis-cluster/src/slots.ts、バージョンの比較は隣のsrc/version.tsです。テストが動かすのと同じファイルです。',
      )}
    >
      <Slots />
      <Nodes sides={settings.sides} held={result.held} onFlip={flip} />
      <Controls>
        <Choices<Rule>
          label={t('A write is acknowledged by', '書き込みを承認する条件')}
          value={settings.rule}
          options={[
            ['healthy', t('a majority of the healthy nodes', '元気なノードの過半数')],
            ['clock', t('W nodes, version from a clock', 'W台、バージョンは時計')],
            ['two-rounds', t('two rounds', '2巡')],
            ['write-back', t('two rounds, readers write back', '2巡と、読み手の書き戻し')],
          ]}
          onChange={(rule) => set({ rule })}
        />
        <Slider
          label="W"
          value={settings.write}
          min={1}
          max={NODES}
          shown={t(`${settings.write} of 5 for a write`, `書き込みに5台中${settings.write}台`)}
          onChange={(write) => set({ write })}
        />
        <Slider
          label="R"
          value={settings.read}
          min={1}
          max={NODES}
          shown={t(`${settings.read} of 5 for a read`, `読み取りに5台中${settings.read}台`)}
          onChange={(read) => set({ read })}
        />
        <Slider
          label={t('A writes 3000 and dies', 'Aが3000を書いて落ちる')}
          value={settings.reached}
          min={0}
          max={4}
          shown={
            settings.reached === 0
              ? t('never', 'なし')
              : t(`${settings.reached} of 5 have it`, `${settings.reached}台に届く`)
          }
          onChange={(reached) => set({ reached })}
        />
      </Controls>
      <Readouts>
        {result.writes.map(({ client, value, acks, needed, outcome }) => (
          <Readout
            key={client}
            label={t(`${client} writes ${value}`, `${client}が${value}を書く`)}
            value={outcomeName(outcome, t)}
            note={t(`${acks} answered, ${needed} needed`, `${acks}台が応答、必要なのは${needed}台`)}
          />
        ))}
        <Readout
          label={t('healed, a reader answers', '復旧後に読むと')}
          value={result.answers.join(t(' or ', 'か'))}
          note={t('whichever nodes answer first', 'どのノードが先に答えるかによる')}
        />
      </Readouts>
      <Legend
        items={[
          ['var(--one)', t('side of A', 'Aの側')],
          ['var(--two)', t('side of B', 'Bの側')],
        ]}
      />
      <Told>{sentence(result, t)}</Told>
    </Stage>
  )
}

function outcomeName(outcome: Result['writes'][number]['outcome'], t: Say): string {
  if (outcome === 'acknowledged') return t('200', '200')
  if (outcome === 'refused') return t('503', '503')
  return outcome === 'unknown' ? t('503, unknown', '503、不明') : t('503, not written', '503、未書き込み')
}

/** What went wrong, if anything did. */
function sentence({ splitBrain, lost, resurrected, backward, meets }: Result, t: Say): string {
  const faults = [
    splitBrain && t('both sides acknowledged: split brain', '両側が承認した（スプリットブレイン）'),
    lost &&
      t('an acknowledged write is not seen by every reader', '承認した書き込みが、読み手によっては見えない'),
    resurrected && t('a refused write comes back', '断られた書き込みがよみがえる'),
    backward && t('a read may be older than the one before', '読み取りが前より古くなることがある'),
  ].filter((fault) => fault !== false)
  const start = meets
    ? ''
    : t(
        'W + R is not more than 5: the role refuses to start. ',
        'W + Rが5を超えないので、ロールは起動を拒みます。',
      )
  if (faults.length === 0) {
    return (
      start +
      t(
        'Nothing is lost, nothing comes back, no read goes back.',
        '何も失われず、何もよみがえらず、読み取りは後戻りしません。',
      )
    )
  }
  return start + t(`What went wrong: ${faults.join('; ')}.`, `起きた問題：${faults.join('。')}。`)
}
