import { eventually, expect, say, when, type Answer, type Random, type Text } from '#harness'
import { each, forAll, insert, newKey, type Asked, type Fleet, type Server } from './fleet.ts'

type Hint = 1 | 2 | 3

/** What the logs may show of a read. */
export const BY_MEMORY: Asked = { redis: 0, statements: 0 }

/** The tier that answered, from what was asked: never from the header alone. */
export function tierOf({ redis, statements }: Asked): 'l1' | 'l2' | 'db' {
  if (statements > 0) return 'db'
  return redis > 0 ? 'l2' : 'l1'
}

export const tierLabel = (who: string): Text =>
  say(
    `the tier that answered at ${who}, by the logs of Redis and Postgres`,
    `${who}で答えた層（RedisとPostgresのログによる）`,
  )

export const headerLabel = (who: string): Text =>
  say(`X-Cache of that answer of ${who}`, `その応答のX-Cache（${who}）`)

/** One read; the logs and the header say the same tier. */
export async function readFrom(
  tier: 'l1' | 'l2' | 'db',
  fleet: Fleet,
  server: Server,
  key: string,
  { hint }: { hint?: Hint } = {},
): Promise<Answer> {
  const { result, asked } = await fleet.watch(() => server.get(key))
  const seenTier = tierOf(asked(key))
  // Memory was filled, and something has emptied it again: that is another mistake than no cache.
  const emptied = tier === 'l1' && seenTier === 'l2' ? 2 : hint
  expect(seenTier, tierLabel(server.name), { hint: emptied }).toBe(tier)
  expect(result.headers['x-cache'], headerLabel(server.name), { hint }).toBe(tier)
  return result
}

/**
 * Proves that each of these servers answers these keys from its own memory. A message may still be under way that
 * makes it forget once more, so a few rounds are allowed.
 */
export async function inMemory(fleet: Fleet, servers: readonly Server[], ...keys: string[]): Promise<void> {
  const round = async (): Promise<void> => {
    for (const key of keys) await each(servers, key)
  }
  const names = servers.map(({ name }) => name).join(', ')
  when(`${names}: each reads a row, and reads it again`, `${names}が同じ行を2回ずつ読む`)
  let asked: Asked = BY_MEMORY
  for (let i = 0; i < 10; i++) {
    await round()
    const seen = await fleet.watch(round)
    const counts = keys.map((key) => seen.asked(key))
    asked = {
      redis: counts.reduce((sum, { redis }) => sum + redis, 0),
      statements: counts.reduce((sum, { statements }) => sum + statements, 0),
    }
    if (tierOf(asked) === 'l1') break
  }
  const label = say(
    `commands to Redis and statements for a second read at ${names}`,
    `${names}での2回目の読み取りで送られたRedisのコマンドと文の数`,
  )
  expect(asked, label, { hint: 1 }).toEqual(BY_MEMORY)
}

/** A row that all of these servers have in memory: without a cache nothing could be stale. */
export async function cachedRow(
  fleet: Fleet,
  servers: readonly Server[],
  random: Random,
  value: unknown = 'v1',
): Promise<string> {
  const key = newKey(random)
  await insert(fleet, key, value)
  await inMemory(fleet, servers, key)
  return key
}

/** Of these keys, how many a server answers without asking anybody. */
export async function fromMemory(fleet: Fleet, server: Server, keys: readonly string[]): Promise<number> {
  const again = await fleet.watch(() => forAll(keys, (key) => server.get(key)))
  return keys.filter((key) => tierOf(again.asked(key)) === 'l1').length
}

export const memoryLabel = say('keys that memory answered', 'メモリが答えたキーの数')

/** What `GET /metrics` says. */
// oxlint-disable-next-line typescript/no-explicit-any -- a test reads what the service said, field by field
export async function metricsOf(server: Server): Promise<any> {
  const answer = await server.role.get('/metrics')
  expect(answer, say(`GET /metrics at ${server.name}`, `${server.name}のGET /metrics`)).toAnswer(200)
  return answer.body
}

/** What a client reads: the value, or the status where there is none. */
export const seen = (answer: Answer): unknown =>
  answer.status === 200 ? (answer.body?.value as unknown) : answer.status

/**
 * Every one of these servers answers this within the time, and from then on nothing else: 20 more reads of each.
 * @param expected a value, or 404
 */
export async function converge(
  servers: readonly Server[],
  key: string,
  expected: unknown,
  { within = 1000, hint, again = 20 }: { within?: number; hint?: Hint; again?: number } = {},
): Promise<void> {
  const text = JSON.stringify(expected)
  for (const server of servers) {
    await eventually(
      say(
        `${server.name} answers ${text} within ${within} ms`,
        `${server.name}が${within}ミリ秒以内に${text}を返す`,
      ),
      async () => seen(await server.get(key)),
      (value) => JSON.stringify(value) === text,
      { within, hint },
    )
  }
  const later = await Promise.all(
    servers.map(async (server) => {
      const values = new Set<string>()
      for (let i = 0; i < again; i++) values.add(JSON.stringify(seen(await server.get(key))))
      return [server.name, [...values].join(', ')]
    }),
  )
  expect(
    Object.fromEntries(later),
    say(`what ${again} more reads of each server see`, `各サーバーをさらに${again}回読んで見えたもの`),
    { hint },
  ).toEqual(Object.fromEntries(servers.map(({ name }) => [name, text])))
}
