import { readFileSync } from 'node:fs'
import { closedLoop, http, load, Random, same, say, type Text } from '#harness'
import { defineBench, percentile, type BenchRow, type BenchTools, type Measured } from '#harness/bench'
import { as, startPair } from '../../labs/02-dual-servers/tests/pair.ts'
import { pendingOf, put, valueIn } from '../../labs/02-dual-servers/tests/settings.ts'

/** Weighted names, the same list that the page's simulation shows. */
const NAMES = JSON.parse(
  readFileSync(new URL('../../site/src/simulations/cut-the-alphabet/names.json', import.meta.url), 'utf8'),
) as Record<'us' | 'jp', { people: [name: string, weight: number][] }>

const LETTERS: [string, number][] = Array.from('abcdefghijklmnopqrstuvwxyz').map((letter) => [letter, 1])
/** One node serves four requests at a time, 20 ms each: 200 a second. */
const NODE = { slots: 4, ms: 20 }
const CLIENTS = 32
const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`

function drawer(population: [string, number][], random: Random): () => string {
  const total = population.reduce((sum, [, weight]) => sum + weight, 0)
  return () => {
    let at = random.next() * total
    for (const [name, weight] of population) if ((at -= weight) < 0) return name.toLowerCase()
    return population[0]![0].toLowerCase()
  }
}

const firstHalf = (id: string): boolean => id.charAt(0) <= 'm'

/** One server for everybody, then two by the alphabet, both behind links with the capacity of one node. */
async function speedup(population: [string, number][]): Promise<Measured> {
  const pair = await startPair({ quiet: true })
  const draw = drawer(population, new Random(1, 'speedup'))
  pair.to1.capacity(NODE)
  pair.to2.capacity(NODE)
  const own = (id: string): string => (firstHalf(id) ? pair.to1.url : pair.to2.url)
  const ask = (url: string, id: string): Promise<unknown> => http(`${url}/api/profile`, as(id))
  const one = await closedLoop(CLIENTS, 3, () => ask(pair.to1.url, `a${draw()}`))
  let atFirst = 0
  const two = await closedLoop(CLIENTS, 3, () => {
    const id = draw()
    if (firstHalf(id)) atFirst++
    return ask(own(id), id)
  })
  const ratio = two.perSecond / one.perSecond
  const line = `${Math.round(one.perSecond)} → ${Math.round(two.perSecond)} req/s, ×${ratio.toFixed(2)}`
  return {
    text: same(line),
    unit: 'req/s',
    figures: { one: one.perSecond, two: two.perSecond, ratio, share: atFirst / two.done },
    bars: [
      { label: say('one server', '1台'), value: one.perSecond },
      { label: say('two servers', '2台'), value: two.perSecond },
    ],
  }
}

function speedupRow(id: string, who: Text, population: [string, number][]): BenchRow {
  const all = population.reduce((sum, [, weight]) => sum + weight, 0)
  const first = population.reduce(
    (sum, [name, weight]) => sum + (firstHalf(name.toLowerCase()) ? weight : 0),
    0,
  )
  const limit = all / Math.max(first, all - first)
  return {
    id,
    title: say(`Two servers instead of one: ${who.en}`, `1台を2台に：${who.ja}`),
    seed: same('50 % / 50 %'),
    limit: same(`×${limit.toFixed(2)}`),
    measure: () => speedup(population),
  }
}

async function seedLoad({ full }: BenchTools): Promise<Measured> {
  const pair = await startPair({ quiet: true })
  const rate = 50
  const amount = rate * (full ? 30 : 5)
  const half = (url: string, id: string) =>
    load({ url: `${url}/api/profile`, connections: 10, rate, amount, ...as(id) })
  await Promise.all([
    pair.server1.put('/api/profile', { displayName: 'A' }, as('alice123')),
    pair.server2.put('/api/profile', { displayName: 'N' }, as('nancy789')),
  ])
  const [one, two] = await Promise.all([
    half(pair.server1.url, 'alice123'),
    half(pair.server2.url, 'nancy789'),
  ])
  const answers = one.answers + two.answers
  const average = (one.latency.average * one.answers + two.latency.average * two.answers) / answers
  const errors = (one.errors + one.non2xx + two.errors + two.non2xx) / answers
  const share = one.answers / answers
  const perSecond = one.perSecond + two.perSecond
  const seconds = Math.round(answers / perSecond)
  return {
    text: say(
      `${answers} requests in ${seconds} s, ${ms(average)} on average, ${(errors * 100).toFixed(1)} % errors, ${Math.round(share * 100)} % at server-1 (the generator sends half and half)`,
      `${seconds}秒で${answers}件、平均${ms(average)}、エラー${(errors * 100).toFixed(1)} %、server-1に${Math.round(share * 100)} %（半々に送っているのは負荷生成側）`,
    ),
    figures: { answers, perSecond, average, errors, share },
  }
}

async function crossRead(): Promise<Measured> {
  const pair = await startPair({ quiet: true })
  await pair.server1.put('/api/profile', { displayName: 'B' }, as('bob456'))
  await pair.server2.put('/api/profile', { displayName: 'N' }, as('nancy789'))
  const read = (id: string) =>
    closedLoop(1, 2, () => pair.server1.get(`/api/user/${id}/profile`, as('alice123')))
  await read('nancy789') // connections and code are warm from here on
  const local = await read('bob456')
  const across = await read('nancy789')
  const figures = {
    localP50: percentile(local.latencies, 0.5),
    localP99: percentile(local.latencies, 0.99),
    acrossP50: percentile(across.latencies, 0.5),
    acrossP99: percentile(across.latencies, 0.99),
  }
  return {
    text: say(
      `own half p50 ${ms(figures.localP50)}, p99 ${ms(figures.localP99)}; across p50 ${ms(figures.acrossP50)}, p99 ${ms(figures.acrossP99)}`,
      `自分の担当はp50が${ms(figures.localP50)}、p99が${ms(figures.localP99)}。サーバー間はp50が${ms(figures.acrossP50)}、p99が${ms(figures.acrossP99)}`,
    ),
    unit: 'ms',
    figures,
    bars: [
      { label: say('own half p50', '自分の担当（p50）'), value: figures.localP50 },
      { label: say('across p50', 'サーバー間（p50）'), value: figures.acrossP50 },
    ],
  }
}

/** Requests between the servers that one `GET /health` causes within three seconds. */
async function caused(): Promise<number> {
  const pair = await startPair({ quiet: true })
  const before = pair.to1.requests.length + pair.to2.requests.length
  const answer = pair.server1.get('/health', { within: 3000 })
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const after = pair.to1.requests.length + pair.to2.requests.length
  await Promise.all([pair.server1.kill(), pair.server2.kill()])
  await answer
  return after - before
}

async function health({ besides }: BenchTools): Promise<Measured> {
  const own = await caused()
  const back = await besides('mutant:health--seed-health')
  const recursive = await caused()
  await back()
  return {
    text: say(
      `yours ${own}; each /health asking the other's: ${recursive}`,
      `あなたの実装は${own}件、互いの/healthを呼ぶ実装は${recursive}件`,
    ),
    figures: { own, recursive },
    bars: [
      { label: say('yours', 'あなたの実装'), value: own },
      { label: say('asking each other', '互いに呼ぶ実装'), value: recursive },
    ],
  }
}

async function sync(): Promise<Measured> {
  const pair = await startPair()
  const delays: number[] = []
  for (let i = 0; i < 100; i++) {
    const begun = performance.now()
    await put(pair.server1, 'bench', i)
    while ((await valueIn(pair.db2, 'bench')) !== i)
      if (performance.now() - begun > 5000) throw new Error('a change did not arrive within 5 s')
    delays.push(performance.now() - begun)
  }
  await drainedWithin(pair.server1, 5000)
  pair.to1.cut()
  pair.to2.cut()
  await closedChanges(pair.server1, 1000)
  const queued = await pendingOf(pair.server1)
  if (queued !== 1000)
    throw new Error(`${String(queued)} of 1,000 changes wait for a peer that nobody can reach`)
  await Promise.all([pair.to1.open(), pair.to2.open()])
  const drained = await drainedWithin(pair.server1, 60_000)
  const figures = {
    p50: percentile(delays, 0.5),
    p99: percentile(delays, 0.99),
    perSecond: 1000 / (drained / 1000),
  }
  return {
    text: say(
      `a change is at the peer after ${ms(figures.p50)} (p50), ${ms(figures.p99)} (p99); 1,000 queued changes at ${Math.round(figures.perSecond)}/s`,
      `変更が相手に届くまで、p50は${ms(figures.p50)}、p99は${ms(figures.p99)}。溜まった1,000件の配送は毎秒${Math.round(figures.perSecond)}件`,
    ),
    figures,
  }
}

/** Milliseconds until the peer has confirmed all that this server owes it. */
async function drainedWithin(server: Parameters<typeof put>[0], limit: number): Promise<number> {
  const begun = performance.now()
  while ((await pendingOf(server)) !== 0)
    if (performance.now() - begun > limit) throw new Error(`the queue was not empty within ${limit} ms`)
  return performance.now() - begun
}

async function closedChanges(server: Parameters<typeof put>[0], count: number): Promise<void> {
  for (let i = 0; i < count; i += 20)
    await Promise.all(Array.from({ length: 20 }, (_, j) => put(server, `bench_${(i + j) % 50}`, i + j)))
}

export default defineBench([
  speedupRow('speedup-uniform', say('every letter alike', 'どの文字も同じ割合'), LETTERS),
  speedupRow('speedup-us', say('US given names', 'アメリカの名前'), NAMES.us.people),
  speedupRow('speedup-jp', say('Japanese surnames', '日本の名字'), NAMES.jp.people),
  {
    id: 'seed-load',
    title: say('100 requests/s, half and half', '毎秒100件、半々'),
    seed: say('> 2,500 in 30 s, < 100 ms, < 1 %, 45–55 %', '30秒で2,500件超、100 ms未満、1 %未満、45〜55 %'),
    measure: seedLoad,
  },
  {
    id: 'cross-read',
    title: say('Reading across servers', 'サーバーをまたぐ読み取り'),
    seed: same('< 100 ms'),
    measure: crossRead,
  },
  {
    id: 'health',
    title: say('Requests that one GET /health causes', 'GET /health 1回が引き起こすリクエスト'),
    seed: same('–'),
    measure: health,
  },
  {
    id: 'sync',
    title: say('A change travels to the peer', '変更が相手に届くまで'),
    seed: say('2,000 ms of waiting', '2,000 msの待ち'),
    measure: sync,
  },
])
