import { Random, same, say, type Text } from '#harness'
import { defineBench, percentile, type BenchTools, type Measured } from '#harness/bench'
import { CAPACITY, field, openLoop, rowsOf, until, zipf } from './measuring.ts'
import { propagation, staleReads, summary, transport } from './propagation.ts'

const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`
const percent = (share: number): string => `${(share * 100).toFixed(0)} %`

const told = ({ p50, p99, max }: ReturnType<typeof summary>): string =>
  `p50 ${ms(p50)}, p99 ${ms(p99)}, max ${ms(max)}`

async function fourServers({ full }: BenchTools): Promise<Measured> {
  const { db, servers, end } = await field(4)
  await rowsOf(db, 1)
  await propagation(servers, 20) // connections and code are warm from here on
  const figures = summary(await propagation(servers, full ? 1000 : 200))
  await end()
  return { text: same(told(figures)), figures, unit: 'ms', bars: barsOf(figures) }
}

const barsOf = (figures: Record<string, number>): { label: Text; value: number }[] =>
  Object.entries(figures).map(([name, value]) => ({ label: same(name), value }))

async function lateLink(): Promise<Measured> {
  const { db, servers, end } = await field(2)
  await rowsOf(db, 1)
  await propagation(servers, 20)
  servers[1]!.toRedis.delay(20, { directions: 'reply' })
  const figures = summary(await propagation(servers, 50))
  await end()
  return {
    text: say(
      `${told(figures)}: 20 ms for the message, 20 ms for the read from Redis after it`,
      `${told(figures)}。メッセージに20ミリ秒、そのあとのRedisからの読み取りに20ミリ秒`,
    ),
    figures,
  }
}

async function staleness({ besides }: BenchTools): Promise<Measured> {
  const own = await staleReads(false)
  const deaf = await staleReads(true)
  const back = await besides('mutant:races--l1-unguarded')
  const unguarded = await staleReads(false)
  await back()
  const figures = { own, unguarded, deaf }
  return {
    text: say(
      `yours ${own.toFixed(1)}; L1 filled without looking at versions ${unguarded.toFixed(1)}; three servers that hear nothing, L1_TTL_MS 1000: ${deaf.toFixed(1)}`,
      `あなたの実装 ${own.toFixed(1)}件。版を見ずにL1へ入れる実装 ${unguarded.toFixed(1)}件。3台に何も届かずL1_TTL_MSが1000のとき ${deaf.toFixed(1)}件`,
    ),
    figures,
    bars: [
      { label: say('yours', 'あなたの実装'), value: own },
      { label: say('unguarded L1', '版を見ないL1'), value: unguarded },
      { label: say('no messages', 'メッセージなし'), value: deaf },
    ],
  }
}

interface Rates {
  l1: number
  l2: number
  dbPerSecond: number
  p50: number
  p99: number
}

/** The same total load on so many servers, all new: 150 requests a second, one in ten a PUT. */
async function hitRates(count: number, seconds: number, env: Record<string, number> = {}): Promise<Rates> {
  const { db, servers, end } = await field(count, env)
  await rowsOf(db, 500)
  const random = new Random(1, 'hits')
  const draw = zipf(500, random)
  for (const { door } of servers) door.capacity(CAPACITY)
  const latencies = await openLoop(150, seconds, async (n) => {
    const { door } = servers[random.int(0, count - 1)]!
    const key = draw()
    const init =
      n % 10 === 0
        ? {
            method: 'PUT',
            body: JSON.stringify({ value: n }),
            headers: { 'content-type': 'application/json' },
          }
        : {}
    const answer = await fetch(`${door.url}/items/${key}`, init)
    await answer.arrayBuffer()
    if (!answer.ok) throw new Error(`status ${answer.status}`)
  })
  const all = await Promise.all(servers.map(async ({ role }) => (await role.get('/metrics')).body))
  const sum = (pick: (metrics: (typeof all)[number]) => number): number =>
    all.reduce((total: number, metrics) => total + pick(metrics), 0)
  const requests = sum((m) => m.requests)
  await end()
  return {
    l1: sum((m) => m.l1.hits) / requests,
    l2: sum((m) => m.l2.hits) / requests,
    dbPerSecond: sum((m) => m.db.reads) / seconds,
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
  }
}

async function byServers({ full }: BenchTools): Promise<Measured> {
  const counts = [1, 2, 4, 8]
  const rates: Rates[] = []
  for (const count of counts) rates.push(await hitRates(count, full ? 40 : 10))
  const list = (pick: (rates: Rates) => string): string => rates.map(pick).join(' : ')
  const l1 = list((r) => percent(r.l1))
  const both = list((r) => percent(r.l1 + r.l2))
  const db = list((r) => r.dbPerSecond.toFixed(1))
  const p50 = list((r) => r.p50.toFixed(1))
  const p99 = list((r) => r.p99.toFixed(0))
  return {
    text: say(
      `L1 ${l1}; L1 and L2 ${both}; reads of Postgres per second ${db}; p50 ${p50} ms; p99 ${p99} ms`,
      `L1 ${l1}。L1とL2 ${both}。Postgresの読み取り毎秒 ${db}。p50 ${p50} ms。p99 ${p99} ms`,
    ),
    unit: '%',
    figures: Object.fromEntries(
      rates.flatMap((r, i) => [
        [`l1-${counts[i]}`, r.l1],
        [`l2-${counts[i]}`, r.l2],
        [`hitRate-${counts[i]}`, r.l1 + r.l2],
        [`dbPerSecond-${counts[i]}`, r.dbPerSecond],
        [`p50-${counts[i]}`, r.p50],
        [`p99-${counts[i]}`, r.p99],
      ]),
    ),
    bars: rates.map((r, i) => ({
      label: say(`L1, ${counts[i]} server${counts[i] === 1 ? '' : 's'}`, `L1、${counts[i]}台`),
      value: r.l1 * 100,
    })),
  }
}

/** A message is lost unnoticed: how long does the old value live? */
async function lostFor(ttl: number): Promise<number> {
  const { db, servers, end } = await field(2, { L1_TTL_MS: ttl, REDIS_TIMEOUT_MS: 50 })
  await rowsOf(db, 1)
  const [writer, deaf] = servers
  await writer!.get('k1')
  deaf!.toRedis.blackHole()
  await deaf!.get('k1') // from Postgres: the entry's life begins here
  const begun = performance.now()
  await writer!.put('k1', 1)
  await until(deaf!, 'k1', 1, ttl + 5000)
  const age = performance.now() - begun
  await end()
  return age
}

async function ttls({ full }: BenchTools): Promise<Measured> {
  const rows: { ttl: number; hits: number; stale: number }[] = []
  for (const ttl of [100, 1000, 10_000]) {
    const { l1 } = await hitRates(2, full ? 30 : 8, { L1_TTL_MS: ttl })
    rows.push({ ttl, hits: l1, stale: await lostFor(ttl) })
  }
  const line = rows.map((r) => `${r.ttl / 1000} s: ${percent(r.hits)}, ${(r.stale / 1000).toFixed(2)} s`)
  return {
    text: say(
      `L1 hits, and how long a lost message is felt: ${line.join('; ')}`,
      `L1のヒット率と、届かなかったメッセージの影響が続く時間：${line.join('。')}`,
    ),
    figures: Object.fromEntries(
      rows.flatMap((r) => [
        [`l1-${r.ttl}`, r.hits],
        [`stale-${r.ttl}`, r.stale],
      ]),
    ),
  }
}

async function transports({ besides }: BenchTools): Promise<Measured> {
  const pubsub = await transport()
  const back = await besides('variant:tracking')
  const tracking = await transport()
  await back()
  const line = (name: string, t: typeof pubsub): string =>
    `${name} p50 ${ms(t.p50)}, p99 ${ms(t.p99)}, ${Math.round(t.bytes)} B, ${t.commands.toFixed(1)} commands, ${t.messages.toFixed(1)} messages`
  const text = `${line('yours', pubsub)}; ${line('CLIENT TRACKING', tracking)}`
  return {
    text: say(
      `${text} (by write, the reads after it included; bytes from Redis, messages received)`,
      `${text}（書き込み1回あたり、直後の読み取りを含む。バイトはRedisから出る量、メッセージは受け取られた数）`,
    ),
    figures: Object.fromEntries([
      ...Object.entries(pubsub).map(([name, value]) => [`own-${name}`, value]),
      ...Object.entries(tracking).map(([name, value]) => [`tracking-${name}`, value]),
    ]),
  }
}

export default defineBench([
  {
    id: 'propagation',
    title: say(
      'From the answer of a PUT to the new value at each of three other servers',
      'PUTの応答から、ほかの3台がそれぞれ新しい値を返すまで',
    ),
    seed: say('"after 1 s all agree"', '「1秒待機後、全て一致するはず」'),
    measure: fourServers,
  },
  {
    id: 'propagation-late',
    title: say('The same, Redis 20 ms away from the reader', '同じもの。読み手からRedisまで20ミリ秒'),
    seed: same('–'),
    limit: same('≥ 40 ms'),
    measure: lateLink,
  },
  {
    id: 'stale',
    title: say('Stale reads in 1,000, 10 % writes', '1,000回の読み取りのうち古い値（書き込み10%）'),
    seed: same('> 0'),
    measure: staleness,
  },
  {
    id: 'servers',
    title: say('The same load on 1, 2, 4, 8 new servers', '同じ負荷を、起動直後の1、2、4、8台で'),
    seed: say('hit rate 85, 87, 89, 91 %; 10, 11, 12, 13 ms', 'ヒット率85、87、89、91%。10、11、12、13 ms'),
    limit: say('200 req/s a server', '1台あたり毎秒200件'),
    measure: byServers,
  },
  {
    id: 'ttl',
    title: say('L1_TTL_MS of 0.1, 1 and 10 s', 'L1_TTL_MSを0.1、1、10秒に'),
    seed: same('stdTTL: 60'),
    measure: ttls,
  },
  {
    id: 'transport',
    title: say('Publish and subscribe, or CLIENT TRACKING', 'pub/subとCLIENT TRACKING'),
    seed: same('–'),
    measure: transports,
  },
])
