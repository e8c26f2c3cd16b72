import { Random, say, show, type Text } from '#harness'
import { defineBench, percentile, type BenchTools, type Measured } from '#harness/bench'
import { newKey, openRegisters, put, read } from '../../labs/13-redis-cluster/tests/registers.ts'
import { randomCuts } from './cuts.ts'
import { failure, figuresOf, longest, PHASES, rounded, type Failure } from './failures.ts'
import { scaling } from './scaling.ts'

const PHASE_NAMES: Record<(typeof PHASES)[number], Text> = {
  killed: say('until noticed', '気づくまで'),
  noticed: say('until started', '起動まで'),
  started: say('until open', '再開まで'),
  open: say('after that', 'そのあと'),
}

/** Share of bypass and P99, from each moment to the next. */
function byPhase({ phases }: Failure): Text {
  const parts = PHASES.map((phase) => {
    const { bypassPercent, p99 } = phases[phase]
    const figures = `${Math.round(bypassPercent)} %, ${Math.round(p99)} ms`
    return say(`${PHASE_NAMES[phase].en} ${figures}`, `${PHASE_NAMES[phase].ja}${figures}`)
  })
  return say(parts.map(({ en }) => en).join('; '), parts.map(({ ja }) => ja).join('、'))
}

async function timeline(full: boolean, besides: BenchTools['besides']): Promise<Measured> {
  const cases = [[200, 'yes'], [200, 'no'], [1000, 'yes'], ...(full ? [[5000, 'yes']] : [])] as [
    number,
    'yes' | 'no',
  ][]
  const figures: Record<string, number> = {}
  const parts: Text[] = []
  for (const [timeout, coverage] of cases) {
    const seen = await failure(timeout, coverage)
    Object.assign(figures, figuresOf(seen, `${timeout}-${coverage}`))
    const ms = (name: 'noticed' | 'open' | 'bypassPercent' | 'failed' | 'p99'): number =>
      Math.round(seen[name])
    const phases = byPhase(seen)
    parts.push(
      say(
        `node timeout ${timeout}, full coverage ${coverage}: noticed after ${ms('noticed')} ms, open ${ms('open')} ms after the start, ${ms('bypassPercent')} % bypass, ${ms('failed')} failed, P99 ${ms('p99')} ms (bypass and P99 ${phases.en})`,
        `node timeout ${timeout}、full coverage ${coverage}：${ms('noticed')} msで気づき、起動から${ms('open')} msで開く。bypass ${ms('bypassPercent')} %、失敗${ms('failed')}件、P99 ${ms('p99')} ms（bypassとP99：${phases.ja}）`,
      ),
    )
  }
  const restore = await besides('mutant:node-down--defaults')
  const defaults = await failure(200, 'yes')
  await restore()
  Object.assign(figures, figuresOf(defaults, 'defaults'))
  const phases = byPhase(defaults)
  parts.push(
    say(
      `ioredis by its defaults, 200, yes: bypass and P99 ${phases.en}`,
      `ioredisの初期設定（200、yes）：bypassとP99：${phases.ja}`,
    ),
  )
  return { text: say(parts.map(({ en }) => en).join('; '), parts.map(({ ja }) => ja).join('。')), figures }
}

async function register(write: number, wanted: number, calls: number): Promise<Record<string, number>> {
  const registers = await openRegisters({ WRITE_QUORUM: write, READ_QUORUM: wanted, QUORUM_TIMEOUT_MS: 2000 })
  registers.links.link('quorum-a', 'q5').delay(25) // there and back
  const key = newKey()
  const times = { put: [] as number[], get: [] as number[] }
  for (let i = 0; i < calls; i++) {
    const [written, found] = [await put(registers.a, key, i), await read(registers.a, key)]
    if (written.status !== 200 || found.status !== 200)
      throw new Error(`${show(written.body)} ${show(found.body)}`)
    times.put.push(written.ms)
    times.get.push(found.ms)
  }
  await Promise.all([registers.a.kill(), registers.b.kill()])
  return {
    putP50: percentile(times.put, 0.5),
    putP99: percentile(times.put, 0.99),
    getP50: percentile(times.get, 0.5),
    getP99: percentile(times.get, 0.99),
  }
}

async function quorums(full: boolean): Promise<Measured> {
  const figures: Record<string, number> = {}
  const texts: string[] = []
  for (const [write, wanted] of [
    [3, 3],
    [4, 2],
    [5, 1],
  ] as const) {
    const seen = await register(write, wanted, full ? 500 : 60)
    Object.assign(figures, rounded(seen, `${write}-${wanted}`))
    texts.push(
      `(${write}, ${wanted}) PUT ${Math.round(seen.putP50!)} / ${Math.round(seen.putP99!)}, GET ${Math.round(seen.getP50!)} / ${Math.round(seen.getP99!)} ms`,
    )
  }
  return { text: say(texts.join('; '), texts.join('。')), figures }
}

const NONE = say('–', '–')

export default defineBench([
  {
    id: 'nodes',
    title: say(
      'Reads of keys on 1, 2, 3 nodes, each with the capacity of 250 commands/s; one hot key',
      '1、2、3台にあるキーの読み取り。1台は毎秒250コマンドまで。最後はホットキー一つ',
    ),
    seed: say(
      'cacheNodes 1 : 3 : 6 : 12 with 1,000 : 1,900 : 3,700 : 7,200 req/s',
      'cacheNodes 1 : 3 : 6 : 12で1,000 : 1,900 : 3,700 : 7,200 req/s',
    ),
    limit: say('250 : 500 : 750; a hot key 250', '250 : 500 : 750。ホットキーは250'),
    measure: ({ full }) => scaling(full),
  },
  {
    id: 'failure',
    title: say('A node is killed under load and started again', '負荷の途中でノードが落ち、起動し直される'),
    seed: say('cluster-node-timeout 5000', 'cluster-node-timeout 5000'),
    limit: say(
      'open 2 s after the start, whatever the time-out',
      'タイムアウトの値によらず、起動の2秒後に開く',
    ),
    measure: ({ full, besides }) => timeline(full, besides),
  },
  {
    id: 'client',
    title: say(
      'Longest answer while a node is frozen, and dead: this client, and ioredis by its defaults',
      'ノードが固まった間、落ちた間の最長の応答：このクライアントと、ioredisの初期設定',
    ),
    seed: NONE,
    measure: async ({ besides }) => {
      const own = await longest()
      const restore = await besides('mutant:node-down--defaults')
      const defaults = await longest()
      await restore()
      const line = ({ frozen, dead }: typeof own): string => `${Math.round(frozen)} / ${Math.round(dead)} ms`
      return {
        text: say(`${line(own)}; defaults ${line(defaults)}`, `${line(own)}。初期設定では${line(defaults)}`),
        figures: { ...rounded(own, 'own'), ...rounded(defaults, 'defaults') },
      }
    },
  },
  {
    id: 'quorums',
    title: say(
      'PUT and GET with one node of five 50 ms away, P50 / P99, by (W, R)',
      '5台のうち1台が50 ms遠いときのPUTとGET（P50 / P99）、(W, R)ごと',
    ),
    seed: NONE,
    limit: say(
      'a round trip to the R-th fastest node, and one to the W-th',
      'R番目に速いノードまでの1往復と、W番目に速いノードまでの1往復',
    ),
    measure: ({ full }) => quorums(full),
  },
  {
    id: 'cuts',
    title: say(
      'Random cuts of the network, writes on both sides',
      'ネットワークの無作為な分断と、両側での書き込み',
    ),
    seed: say('balance 1000 on one side, 2000 on the other', '一方では残高1000、もう一方では2000'),
    measure: async ({ full }) => {
      const rounds = full ? 500 : 200
      const { acknowledged, refused, unknown, bothSides } = await randomCuts(
        await openRegisters(),
        new Random(13),
        rounds,
      )
      return {
        text: say(
          `${rounds} cuts: ${acknowledged} writes acknowledged, none lost; ${refused} refused, none seen again; ${unknown} of unknown outcome; both sides of a cut acknowledged ${bothSides} times`,
          `${rounds}回の分断：承認${acknowledged}件（消失0件）、拒否${refused}件（復活0件）、結果不明${unknown}件。両側が承認した分断は${bothSides}回`,
        ),
        figures: { rounds, acknowledged, refused, unknown, bothSides },
      }
    },
  },
])
