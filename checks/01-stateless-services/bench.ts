import { availableParallelism } from 'node:os'
import { closedLoop, eventually, http, link, load, same, say, type Link, type Text } from '#harness'
import { defineBench, percentile, type BenchTools, type Measured } from '#harness/bench'
import { howMany, startInstances } from '../../labs/01-stateless-services/tests/instances.ts'
import { login, me } from '../../labs/01-stateless-services/tests/logins.ts'
import { channel } from '../../labs/01-stateless-services/tests/messages.ts'

/** Each core of a modelled machine serves one request at a time, 20 ms each. */
const MS = 20
const CLIENTS = 32
/** Machines × cores: the seed's 2 cores, made larger up to 8, or multiplied to four. */
const SHAPES = [
  [1, 2],
  [1, 4],
  [1, 8],
  [2, 2],
  [4, 2],
] as const

const round = (value: number): number => Math.round(value)
const percent = (share: number): string => `${round(share * 100)} %`
const ms = (value: number): string => `${value.toFixed(2)} ms`
const shape = (machines: number, cores: number): Text => same(`${machines} × ${cores}`)

/** So many machines of so many cores: an instance each, behind a link that lets no more through than the cores would. */
async function machines(
  count: number,
  cores: number,
): Promise<{ apps: { kill(): Promise<void> }[]; links: Link[] }> {
  const { apps } = await startInstances(count)
  const links = await Promise.all(apps.map((app) => link('client', app)))
  for (const one of links) one.capacity({ slots: cores, ms: MS })
  return { apps, links }
}

async function upOrOut({ full }: BenchTools): Promise<Measured> {
  const bars: Measured['bars'] = []
  const figures: Record<string, number> = {}
  for (const [count, cores] of SHAPES) {
    const { apps, links } = await machines(count, cores)
    const { perSecond } = await closedLoop(CLIENTS, full ? 5 : 2, (client, turn) =>
      http(`${links[(client + turn) % count]!.url}/health`),
    )
    await Promise.all(apps.map((app) => app.kill()))
    figures[`${count}x${cores}`] = perSecond
    bars.push({ label: shape(count, cores), value: perSecond })
  }
  const line = bars.map(({ label, value }) => `${label.en}: ${round(value)}`).join(', ')
  return { text: same(`${line} req/s`), unit: 'req/s', figures, bars }
}

/** Real work for real cores: nothing is modelled here. */
async function realCores({ full }: BenchTools): Promise<Measured> {
  const bars: Measured['bars'] = []
  const figures: Record<string, number> = { cores: availableParallelism() }
  for (const [count, processes] of [
    [1, 1],
    [1, 2],
    [1, 4],
    [2, 1],
    [4, 1],
  ] as const) {
    const { apps } = await startInstances(count, { PROCESSES: processes, DB_POOL_MAX: 5 })
    const each = await Promise.all(
      apps.map((app) =>
        load({ url: `${app.url}/api/render`, connections: 16 / count, duration: full ? 10 : 3 }),
      ),
    )
    await Promise.all(apps.map((app) => app.kill()))
    const perSecond = each.reduce((sum, one) => sum + one.perSecond, 0)
    figures[`${count}x${processes}`] = perSecond
    bars.push({
      label: say(`${count} × PROCESSES=${processes}`, `${count}台 × PROCESSES=${processes}`),
      value: perSecond,
    })
  }
  const line = bars.map(({ value }) => round(value)).join(', ')
  return {
    text: say(
      `${line} req/s on ${figures.cores} cores, shared with the load generator`,
      `${line} req/s（${figures.cores}コア、負荷生成と共用）`,
    ),
    unit: 'req/s',
    figures,
    bars,
  }
}

/** One machine is killed; clients go on round robin and repeat nothing. */
async function oneDies(): Promise<Measured> {
  const answered = async (count: number, cores: number): Promise<number> => {
    const { apps, links } = await machines(count, cores)
    const ask = (client: number, turn: number) => http(`${links[(client + turn) % count]!.url}/health`)
    await closedLoop(CLIENTS, 1, ask)
    await apps[0]!.kill()
    const answers: number[] = []
    for (let turn = 0; turn < 10; turn++) {
      const round = await Promise.all(Array.from({ length: CLIENTS }, (_, client) => ask(client, turn)))
      answers.push(howMany(200, round) / CLIENTS)
    }
    await Promise.all(apps.map((app) => app.kill()))
    return answers.reduce((sum, share) => sum + share, 0) / answers.length
  }
  const figures = { big: await answered(1, 8), small: await answered(4, 2) }
  return {
    text: say(
      `answered afterwards, until it is started again: ${percent(figures.big)} of 1 × 8, ${percent(figures.small)} of 4 × 2`,
      `起動し直すまでに応答できた割合：1 × 8では${percent(figures.big)}、4 × 2では${percent(figures.small)}`,
    ),
    figures,
    unit: '%',
    bars: [
      { label: shape(1, 8), value: figures.big * 100 },
      { label: shape(4, 2), value: figures.small * 100 },
    ],
  }
}

/** Every instance uses its whole pool at once, while a lock keeps the statements from ending. */
async function connections(): Promise<Measured> {
  const bars: Measured['bars'] = []
  const figures: Record<string, number> = {}
  for (const count of [1, 2, 4, 8]) {
    const { apps, db } = await startInstances(count, { DB_POOL_MAX: 10, DB_WAIT_MS: 5000 })
    const lock = await db.holdLock('messages', 'SHARE')
    let answered = 0
    let refused = 0
    const body = { author: 'ann', text: 'hello' }
    const answers = Array.from({ length: count * 10 }, async (_, i) => {
      const { status } = await apps[i % count]!.post(channel('bench'), body, { within: 30_000 })
      answered++
      if (status !== 201) refused++
    })
    await eventually(
      say(
        'every message waits in Postgres or was refused',
        'どのメッセージも、Postgresで待つか、断られている',
      ),
      async () => answered + (await db.activity({ waiting: true })).length,
      (seen) => seen >= count * 10,
      { within: 20_000 },
    )
    figures[`refused${count}`] = refused
    bars.push({ label: say(`${count} × pool 10`, `${count}台 × プール10`), value: refused })
    await lock.release()
    await Promise.all(answers)
    await Promise.all(apps.map((app) => app.kill()))
  }
  const line = bars.map(({ label, value }) => `${label.en}: ${value}`).join(', ')
  const ja = bars.map(({ label, value }) => `${label.ja}：${value}`).join('、')
  return {
    text: say(`refused with max_connections=30: ${line}`, `max_connections=30で拒否された数。${ja}`),
    figures,
    bars,
  }
}

async function priceOfStateless({ full }: BenchTools): Promise<Measured> {
  const { app1 } = await startInstances(1)
  const { cookie } = await login(app1, 'ann')
  const seconds = full ? 10 : 2
  const p50 = async (ask: () => Promise<unknown>): Promise<number> => {
    await closedLoop(1, 0.5, ask) // connections and code are warm from here on
    return percentile((await closedLoop(1, seconds, ask)).latencies, 0.5)
  }
  const figures = { health: await p50(() => app1.get('/health')), me: await p50(() => me(app1, cookie)) }
  return {
    text: say(
      `/health ${ms(figures.health)}, /api/me ${ms(figures.me)} (p50): the difference is the way to the store`,
      `/health ${ms(figures.health)}、/api/me ${ms(figures.me)}（p50）。差がストアとの往復`,
    ),
    unit: 'ms',
    figures,
    bars: [
      { label: same('/health'), value: figures.health },
      { label: same('/api/me'), value: figures.me },
    ],
  }
}

export default defineBench([
  {
    id: 'up-or-out',
    title: say('Up or out: machines × cores, modelled', 'アップかアウトか：台数 × コア数（モデル）'),
    seed: say('2 → 8 cores; 4 × 2 cores, no figures', '2 → 8コア、4 × 2コア（数値なし）'),
    limit: same('50 req/s × cores'),
    measure: upOrOut,
  },
  {
    id: 'real-cores',
    title: say('Real cores: processes and instances', '実際のコア：プロセス数と台数'),
    seed: say('"simple, but limited"', '「シンプルだが上限がある」'),
    limit: say('the cores there are', '実際のコア数'),
    measure: realCores,
  },
  {
    id: 'one-dies',
    title: say('One machine dies', '1台が落ちる'),
    seed: say('"no great problem"', '「大きく問題になることがない」'),
    limit: same('0 %, 75 %'),
    measure: oneDies,
  },
  {
    id: 'connections',
    title: say('Connections of 1, 2, 4 and 8 instances', '1、2、4、8台の接続数'),
    seed: say('"unlimited in theory"', '「理論上無限に拡張できる」'),
    measure: connections,
  },
  {
    id: 'price',
    title: say('The price of being stateless', 'ステートレスの値段'),
    seed: same('–'),
    measure: priceOfStateless,
  },
])
