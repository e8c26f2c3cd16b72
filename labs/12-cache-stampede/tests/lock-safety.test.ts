import { setTimeout as pause } from 'node:timers/promises'
import { ahead, beforeAll, eventually, expect, say, test, when, type Answer } from '#harness'
import { fourServers } from './fleets.ts'
import { hold, newKey, STATEMENTS, tally, waiting, warmUp, withMore, type Front } from './front.ts'
import { plant } from './planted.ts'

let front: Front

/** Put to sleep in the first test, for those after it: their locks expire while it waits for the one of s6. */
let asleep: Promise<Sleeper[]>

/**
 * Locks of s4, s5 and s6 live shortly: these sleep, or die. Those who take over have time. So the life of a lock differs
 * by server, as in a deployment that changes it: Redis knows how long this one lives, the reader's settings do not.
 */
const SHORT = { LOCK_TTL_MS: 400 }

beforeAll(async () => {
  front = await withMore(await fourServers(), [SHORT, SHORT, SHORT])
  await warmUp(front)
})

const lockOf = (key: string): Promise<string | null> => front.redis.client.get(`lock:${key}`)

/** The token of the lock, which lives for 400 ms: waited for before anything else is looked at. */
const taken = async (key: string): Promise<string> =>
  (await eventually(say('lock:<key> in Redis', 'Redisのlock:<key>'), () => lockOf(key)))!

test(say('the holder of the lock is killed', 'ロックの持ち主が強制終了される'), async ({ random }) => {
  const value = random.word()
  const key = await front.row(value)
  const lock = await hold(front)
  when(
    's6 computes a key and holds lock:<key> for 400 ms at most; s2 and s3 are asked for it; s6 is killed (SIGKILL)',
    's6がキーを計算中で、期限400ミリ秒のlock:<key>を持つ。s2とs3にも同じキーを尋ね、s6を強制終了（SIGKILL）する',
  )
  void front.get(6, key)
  await taken(key)
  await waiting(front, 6)
  const readers = [2, 3, 2, 3].map((server) => front.get(server, key, '', { within: 5000 }))
  await front.servers[6]!.kill()
  await lock.release()
  asleep = ahead(() => sleepers([4, 5]))
  const answers = await Promise.all(readers)
  for (const answer of answers) expect(answer, say('within 5 s', '5秒以内')).toAnswer(200, { value })
  expect(await front.statements(key), STATEMENTS, { hint: 2 }).toBe(2)
})

/** It has the lock of the key, the answer of Postgres waits in its socket, and it is frozen. */
interface Sleeper {
  key: string
  token: string
  reply: Promise<Answer>
}

async function sleepers(servers: number[]): Promise<Sleeper[]> {
  const keys = await front.rows(servers.length, 'old')
  const lock = await hold(front)
  const frozen = await Promise.all(
    servers.map(async (server, i) => {
      const key = keys[i]!
      const reply = front.get(server, key)
      const token = await taken(key)
      await waiting(front, server)
      await front.servers[server]!.freeze()
      return { key, token, reply }
    }),
  )
  await lock.release()
  for (const server of servers)
    await eventually(
      say(`the statement of s${server} is done`, `s${server}のSQL文が終わる`),
      () => front.db.activity({ application: `s${server}` }),
      (backends) => backends.every(({ state }) => state !== 'active'),
    )
  return frozen
}

/** It goes on, and has sent to Redis all that it had to send: it has answered, or it waits for the next holder. */
async function wakeUp(server: number, reply: Promise<Answer>): Promise<void> {
  const other = newKey()
  await plant(front, other)
  await front.servers[server]!.thaw()
  await Promise.race([reply, pause(1000)])
  await front.get(server, other)
}

test(
  say(
    'a holder that slept does not take the lock from the next',
    '寝坊した持ち主は、次の持ち主のロックを外さない',
  ),
  async () => {
    when(
      's4 holds the lock and is frozen (SIGSTOP) until it has expired',
      's4がロックを持ったまま、期限が切れるまで凍結（SIGSTOP）される',
    )
    const { key, token, reply } = (await asleep)[0]!
    when(
      's2 takes the lock and computes; s4 wakes up (SIGCONT) and ends its GET',
      's2がロックを取って計算を始める。s4が目を覚まし（SIGCONT）、自分のGETを終える',
    )
    const lock = await hold(front)
    const second = front.get(2, key)
    const next = await eventually(
      say('lock:<key> with another token', '別のトークンのlock:<key>'),
      () => lockOf(key),
      (seen) => seen !== null && seen !== token,
    )
    // Its statement waits for the table until the end of this test.
    await waiting(front, 2)
    await wakeUp(4, reply)
    expect(await lockOf(key), say("lock:<key>, s2's token", 's2のトークンを持つlock:<key>'), {
      hint: 2,
    }).toBe(next)
    await lock.release()
    expect(await second).toAnswer(200)
    expect(await reply, say('answer of s4', 's4の応答')).toAnswer(200)
  },
)

test(
  say('a holder that slept does not bring the old value back', '寝坊した持ち主は、古い値を書き戻さない'),
  async ({ random }) => {
    const fresh = `new-${random.word()}`
    when(
      's5 has read the old value and is frozen; the row is changed; s2 computes the new value',
      's5が古い値を読んだところで凍結される。行が書き換わり、s2が新しい値を計算する',
    )
    const { key, reply } = (await asleep)[1]!
    await front.db.sql('UPDATE data SET value = $2::jsonb WHERE key = $1', [key, JSON.stringify(fresh)])
    expect(await front.get(2, key)).toAnswer(200, { value: fresh })
    when('s5 wakes up and ends its GET', 's5が目を覚まし、自分のGETを終える')
    await wakeUp(5, reply)
    expect(await reply, say('answer of s5', 's5の応答')).toAnswer(200)
    const answers = await Promise.all([5, 2, 3].map((server) => front.get(server, key)))
    expect(tally(answers)).toEqual({ 200: 3 })
    expect(
      answers.map(({ body }) => body?.value),
      say('value at s5, s2, s3 afterwards', 'そのあとのs5、s2、s3の値'),
      { hint: 3 },
    ).toEqual([fresh, fresh, fresh])
    // One of the sleeper, one of s2.
    expect(await front.statements(key), STATEMENTS, { hint: 2 }).toBeLessThanOrEqual(2)
  },
)
