import { eventually, say } from '#harness'
import { defineBench } from '#harness/bench'
import { openFront } from '../../labs/12-cache-stampede/tests/front.ts'
import { popularRows, warm, writes } from '../../labs/12-cache-stampede/tests/warmer.ts'
import { end, expiry, good, herd, levels, seconds, shop, times, withoutRedis } from './loads.ts'

export default defineBench([
  {
    id: 'herd',
    title: say('1,000 readers of one cold key over four servers', '冷えたキー一つを、4台で1,000人が読む'),
    seed: say('ideal 1, accepts up to 99 reads', '理想は1回、99回まで許容'),
    limit: say('1 statement', 'SQL 1回'),
    async measure({ besides }) {
      const ours = await herd()
      const back = await besides('mutant:single-flight--naive')
      const naive = await herd()
      await back()
      return {
        text: say(
          `${ours.statements} statement(s), longest wait ${seconds(ours.longest)} s, ${ours.failed} without a value; without protection ${naive.statements} and ${seconds(naive.longest)} s`,
          `SQL ${ours.statements}回、最長の待ち${seconds(ours.longest)}秒、値を得られなかった読み手${ours.failed}人。保護なしでは${naive.statements}回、${seconds(naive.longest)}秒`,
        ),
        figures: {
          statements: ours.statements,
          longestMs: Math.round(ours.longest),
          failed: ours.failed,
          naiveStatements: naive.statements,
          naiveLongestMs: Math.round(naive.longest),
        },
        bars: [
          { label: say('yours', 'あなたの実装'), value: ours.statements },
          { label: say('without protection', '保護なし'), value: naive.statements },
        ],
        unit: 'SQL',
      }
    },
  },
  {
    id: 'expiry',
    title: say(
      '300 reads a second, a life of 1 s, a query of 100 ms, nothing stale: XFETCH_BETA 0, 1, 3',
      '毎秒300回の読み取り、寿命1秒、クエリ100ミリ秒、古い値は返さない。XFETCH_BETA 0、1、3',
    ),
    seed: say('–', '–'),
    limit: say('1 computation per expiry', '失効ごとに計算1回'),
    async measure({ full }) {
      const figures: Record<string, number> = {}
      const long = full ? 15 : 3
      for (const beta of [0, 1, 3]) {
        const { statements, p99 } = await expiry(beta, long)
        figures[`statements-${beta}`] = statements
        figures[`p99-${beta}`] = Math.round(p99)
      }
      const list = (name: string): string => [0, 1, 3].map((beta) => figures[`${name}-${beta}`]).join(' : ')
      return {
        text: say(
          `${list('statements')} statements in ${long} s; p99 ${list('p99')} ms`,
          `${long}秒間にSQL ${list('statements')}回。p99 ${list('p99')} ms`,
        ),
        figures,
      }
    },
  },
  {
    id: 'holder-killed',
    title: say(
      'The holder of the lock is killed, LOCK_TTL_MS=400',
      'ロックの持ち主を強制終了、LOCK_TTL_MS=400',
    ),
    seed: say('lock of 5,000 ms', 'ロック5,000 ms'),
    limit: say('LOCK_TTL_MS', 'LOCK_TTL_MS'),
    async measure() {
      const front = await shop({ LOCK_TTL_MS: 400 }, false)
      const key = await front.row()
      front.toPostgres[0]!.hold('reply')
      void front.get(0, key)
      await eventually(say('the statement of the holder', '持ち主のSQL文'), () => front.statements(key))
      const readers = Array.from({ length: 30 }, (_, i) => front.get(1 + (i % 3), key))
      await front.servers[0]!.kill()
      const answers = await Promise.all(readers)
      const served = good(answers)
      const longest = Math.max(0, ...times(served))
      const statements = await front.statements(key)
      await end(front)
      return {
        text: say(
          `${served.length} of ${answers.length} served after ${seconds(longest)} s, ${statements} statements`,
          `${answers.length}人中${served.length}人に${seconds(longest)}秒後に応答、SQL ${statements}回`,
        ),
        figures: { ms: Math.round(longest), served: served.length, statements },
      }
    },
  },
  {
    id: 'degrade',
    title: say(
      'Redis is gone, 200 reads a second of different keys, Postgres does 50',
      'Redisなし、別々のキーを毎秒200回読む。Postgresの能力は毎秒50',
    ),
    seed: say('straight to the database', 'そのままDBへ'),
    limit: say('50 answers/s', '毎秒50応答'),
    async measure({ full, besides }) {
      const long = full ? 10 : 3
      const ours = await withoutRedis(long)
      const back = await besides('mutant:degrade--pool-is-limit')
      const open = await withoutRedis(long)
      await back()
      const figures = Object.fromEntries(
        [
          ['', ours],
          ['Unlimited', open],
        ].flatMap(([name, result]) =>
          Object.entries(result as typeof ours).map(([key, value]) => [
            `${key}${name as string}`,
            Math.round(value),
          ]),
        ),
      )
      return {
        text: say(
          `${figures.goodput} answers/s, ${figures.refused} refused/s, p99 ${seconds(ours.p99)} s; without a limit ${figures.goodputUnlimited}/s, p99 ${seconds(open.p99)} s`,
          `毎秒${figures.goodput}応答、毎秒${figures.refused}件を拒否、p99 ${seconds(ours.p99)}秒。上限なしでは毎秒${figures.goodputUnlimited}応答、p99 ${seconds(open.p99)}秒`,
        ),
        figures,
      }
    },
  },
  {
    id: 'warm',
    title: say('Warming 100 entries', '100個のエントリーを温める'),
    seed: say('10 per 100 ms', '100 msごとに10個'),
    limit: say('10 batches, 9 pauses of 100 ms', '10バッチ、100 msの休み9回'),
    async measure() {
      const front = await openFront(0)
      await popularRows(front, 100)
      const monitor = await front.redis.monitor()
      await warm(front, { WARM_LIMIT: 100 })
      const at = [...writes(await monitor.commands()).values()]
        .map((write) => write.at)
        .toSorted((a, b) => a - b)
      const burst = Math.max(...at.map((from) => at.filter((t) => t >= from && t < from + 10).length))
      const ms = Math.round(at.at(-1)! - at[0]!)
      return {
        text: say(
          `${at.length} entries in ${seconds(ms)} s, at most ${burst} in 10 ms`,
          `${at.length}個を${seconds(ms)}秒で。10 msあたり最大${burst}個`,
        ),
        figures: { entries: at.length, ms, burst },
      }
    },
  },
  {
    id: 'levels',
    title: say('strong, bounded, eventual with 10 % writes', 'strong、bounded、eventual。書き込み10 %'),
    seed: say('–', '–'),
    measure: ({ full }) => levels(full ? 5 : 1),
  },
])
