import { link, load, postgres, say, startRole, type Link, type LoadResult } from '#harness'
import { defineBench, type Measured } from '#harness/bench'

/**
 * What one node carries: 4 statements at a time, 8 ms each, 500 a second. Four such nodes stay below what one gateway and
 * the load can do on two cores, also when something else runs beside: it is the nodes that are measured.
 */
const CAPACITY = { slots: 4, ms: 8 }
const WORKERS = 30
/** Of so many windows the best counts: what else runs on the machine can only take away. */
const WINDOWS = 3
const REPLICAS = ['replica-1', 'replica-2', 'analytics']
const READ = JSON.stringify({ sql: 'SELECT owner, balance FROM accounts WHERE id = $1', params: [7] })
const WRITE = JSON.stringify({ sql: 'UPDATE accounts SET balance = balance + 1 WHERE id = $1', params: [8] })

interface Configuration {
  /** Replicas that serve reads. */
  replicas: number
  /** The primary stands among them. */
  primaryToo?: boolean
  /** Of ten statements so many are writes. */
  writes?: number
  seconds: number
}

interface Sample {
  perSecond: number
  p50: number
  p99: number
  /** Percent of the statements that the primary ran. */
  onPrimary: number
}

/** Load through the gateway of the subject, with a link of known capacity in front of each node. */
async function sample({ replicas, primaryToo, writes = 0, seconds }: Configuration): Promise<Sample> {
  const db = await postgres('primary').database()
  const names = ['primary', ...REPLICAS.slice(0, replicas)]
  const links = new Map<string, Link>()
  for (const name of names) {
    const opened = await link('gateway', postgres(name))
    opened.capacity(CAPACITY)
    links.set(name, opened)
  }
  const url = (name: string): string => db.url('gateway', { via: links.get(name)! })
  const readers = names.slice(primaryToo ? 0 : 1)
  const role = await startRole('gateway', {
    name: `gateway-${replicas}${primaryToo ? '-and-primary' : ''}${writes ? '-mixed' : ''}`,
    env: {
      DATABASE_URL: url('primary'),
      REPLICA_URLS: readers.map(url).join(','),
      PRIMARY_POOL_MAX: 10,
      REPLICA_POOL_MAX: 10,
      // By turns some node runs dry now and then, and its capacity is lost: this is about the nodes.
      READ_BALANCE: 'least-loaded',
    },
  })
  const request = (body: string) => ({
    method: 'POST' as const,
    path: '/query',
    headers: { 'content-type': 'application/json' },
    body,
  })
  const mix = Array.from({ length: 10 }, (_, i) => request(i < writes ? WRITE : READ))
  const offered = { url: role.url, connections: WORKERS, requests: mix }
  await load({ ...offered, amount: WORKERS * 10 }) // connections are open, code is compiled
  for (const opened of links.values()) opened.resetCounts()
  let best: LoadResult | undefined
  for (let i = 0; i < WINDOWS; i++) {
    const result = await load({ ...offered, duration: seconds })
    if (result.non2xx + result.errors > 0)
      throw new Error(`${result.non2xx} answers were not 2xx, ${result.errors} connections broke`)
    if (!best || result.perSecond > best.perSecond) best = result
  }
  const statements = [...links.values()].reduce((sum, opened) => sum + opened.counts.requests, 0)
  const onPrimary = (links.get('primary')!.counts.requests / statements) * 100
  await role.kill()
  const { p50, p99 } = best!.latency
  return { perSecond: best!.perSecond, p50, p99, onPrimary }
}

/** The same load with 0, 1, 2 and 3 replicas; figures carry the number of replicas in their names. */
async function scaling(
  full: boolean,
  common: Omit<Configuration, 'replicas' | 'seconds'>,
): Promise<Measured> {
  const samples: Sample[] = []
  for (let replicas = 0; replicas <= REPLICAS.length; replicas++) {
    // Without replicas the primary serves all, in whatever list it stands.
    const primaryToo = replicas > 0 && common.primaryToo === true
    samples.push(await sample({ ...common, primaryToo, replicas, seconds: full ? 10 : 1 }))
  }
  const one = samples[0]!.perSecond
  const figures = Object.fromEntries(
    samples.flatMap(({ perSecond, p50, p99, onPrimary }, n) => [
      [`perSecond-${n}`, Math.round(perSecond)],
      [`times-${n}`, Number((perSecond / one).toFixed(2))],
      [`p50-${n}`, p50],
      [`p99-${n}`, p99],
      [`percentOnPrimary-${n}`, Math.round(onPrimary)],
    ]),
  )
  const list = (pick: (s: Sample) => string): string => samples.map(pick).join(' : ')
  const times = list((s) => (s.perSecond / one).toFixed(2))
  const p99 = list((s) => String(Math.round(s.p99)))
  const p50 = list((s) => String(Math.round(s.p50)))
  const share = list((s) => String(Math.round(s.onPrimary)))
  return {
    text: say(
      `× ${times}; P50 ${p50} ms, P99 ${p99} ms; ${share} % of the statements on the primary`,
      `× ${times}。P50 ${p50} ms、P99 ${p99} ms。プライマリが実行した割合 ${share} %`,
    ),
    figures,
    bars: samples.map(({ perSecond }, n) => ({
      label:
        n === 0
          ? say('primary alone', 'プライマリのみ')
          : say(`${n} replica${n > 1 ? 's' : ''}`, `レプリカ${n}台`),
      value: perSecond,
    })),
    unit: 'req/s',
  }
}

const SEED = say(
  '1,000 : 1,800 : 2,700 : 3,500 req/s; P99 100 : 60 : 40 : 35 ms; CPU of the primary 80 : 45 : 30 : 25 %',
  '1,000 : 1,800 : 2,700 : 3,500 req/s。P99 100 : 60 : 40 : 35 ms。プライマリのCPU 80 : 45 : 30 : 25 %',
)

export default defineBench([
  {
    id: 'reads',
    title: say(
      'Reads only, served by replicas: 0, 1, 2, 3 of them',
      '読み取りのみ、レプリカが処理：0、1、2、3台',
    ),
    seed: SEED,
    limit: say('× 1 : 1 : 2 : 3', '× 1 : 1 : 2 : 3'),
    measure: ({ full }) => scaling(full, {}),
  },
  {
    id: 'reads-primary-too',
    title: say('Reads only, the primary serves them too', '読み取りのみ、プライマリも処理する'),
    seed: SEED,
    limit: say('× 1 : 2 : 3 : 4', '× 1 : 2 : 3 : 4'),
    measure: ({ full }) => scaling(full, { primaryToo: true }),
  },
  {
    id: 'mixed',
    title: say('One write in ten, reads served by replicas', '10件に1件が書き込み、読み取りはレプリカが処理'),
    seed: SEED,
    limit: say(
      '× 1 : 1.1 : 2.2 : 3.3; never more than 10, the primary’s limit',
      '× 1 : 1.1 : 2.2 : 3.3。プライマリの限界から、10を超えない',
    ),
    measure: ({ full }) => scaling(full, { writes: 1 }),
  },
])
