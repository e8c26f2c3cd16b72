import { setTimeout as pause } from 'node:timers/promises'
import { beforeAll, eventually, expect, say, test, when, type Answer } from '#harness'
import { hold, newKey, openFront, plant, STATEMENTS, tally, waiting, warmUp, type Front } from './front.ts'

let front: Front

/**
 * Locks of s0 and s1 live shortly: these two die, or sleep. Those who take over have time. So the life of a lock differs
 * by server, as in a deployment that changes it: Redis knows how long this one lives, the reader's settings do not.
 */
const SHORT = { LOCK_TTL_MS: 400 }

beforeAll(async () => {
  front = await openFront(4, {}, [SHORT, SHORT])
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
    's0 computes a key and holds lock:<key> for 400 ms at most; s2 and s3 are asked for it; s0 is killed (SIGKILL)',
    's0がキーを計算中で、期限400ミリ秒のlock:<key>を持つ。s2とs3にも同じキーを尋ね、s0を強制終了（SIGKILL）する',
  )
  void front.get(0, key)
  await taken(key)
  await waiting(front, 0)
  const readers = [2, 3, 2, 3].map((server) => front.get(server, key, '', { within: 5000 }))
  await front.servers[0]!.kill()
  await lock.release()
  const answers = await Promise.all(readers)
  for (const answer of answers) expect(answer, say('within 5 s', '5秒以内')).toAnswer(200, { value })
  expect(await front.statements(key), STATEMENTS, { hint: 2 }).toBe(2)
})

/** s1 has the lock and the answer of Postgres waits in its socket, but it sleeps. */
async function sleepingHolder(key: string): Promise<{ reply: Promise<Answer>; token: string }> {
  const lock = await hold(front)
  const reply = front.get(1, key)
  const token = await taken(key)
  await waiting(front, 1)
  await front.servers[1]!.freeze()
  await lock.release()
  await eventually(
    say('the statement of s1 is done', 's1のSQL文が終わる'),
    () => front.db.activity({ application: 's1' }),
    (backends) => backends.every(({ state }) => state !== 'active'),
  )
  return { reply, token }
}

/** s1 goes on, and has sent to Redis all that it had to send: it has answered, or it waits for the next holder. */
async function wakeUp(reply: Promise<Answer>): Promise<void> {
  const other = newKey()
  await plant(front, other)
  await front.servers[1]!.thaw()
  await Promise.race([reply, pause(1000)])
  await front.get(1, other)
}

test(
  say(
    'a holder that slept does not take the lock from the next',
    '寝坊した持ち主は、次の持ち主のロックを外さない',
  ),
  async () => {
    const key = await front.row()
    when(
      's1 holds the lock and is frozen (SIGSTOP) until it has expired',
      's1がロックを持ったまま、期限が切れるまで凍結（SIGSTOP）される',
    )
    const { reply, token } = await sleepingHolder(key)
    when(
      's2 takes the lock and computes; s1 wakes up (SIGCONT) and ends its GET',
      's2がロックを取って計算を始める。s1が目を覚まし（SIGCONT）、自分のGETを終える',
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
    await wakeUp(reply)
    expect(await lockOf(key), say("lock:<key>, s2's token", 's2のトークンを持つlock:<key>'), {
      hint: 2,
    }).toBe(next)
    await lock.release()
    expect(await second).toAnswer(200)
    expect(await reply, say('answer of s1', 's1の応答')).toAnswer(200)
  },
)

test(
  say('a holder that slept does not bring the old value back', '寝坊した持ち主は、古い値を書き戻さない'),
  async ({ random }) => {
    const [old, fresh] = [`old-${random.word()}`, `new-${random.word()}`]
    const key = await front.row(old)
    when(
      's1 has read the old value and is frozen; the row is changed; s2 computes the new value',
      's1が古い値を読んだところで凍結される。行が書き換わり、s2が新しい値を計算する',
    )
    const { reply } = await sleepingHolder(key)
    await front.db.sql('UPDATE data SET value = $2::jsonb WHERE key = $1', [key, JSON.stringify(fresh)])
    expect(await front.get(2, key)).toAnswer(200, { value: fresh })
    when('s1 wakes up and ends its GET', 's1が目を覚まし、自分のGETを終える')
    await wakeUp(reply)
    expect(await reply, say('answer of s1', 's1の応答')).toAnswer(200)
    const answers = await Promise.all([1, 2, 3].map((server) => front.get(server, key)))
    expect(tally(answers)).toEqual({ 200: 3 })
    expect(
      answers.map(({ body }) => body?.value),
      say('value at s1, s2, s3 afterwards', 'そのあとのs1、s2、s3の値'),
      { hint: 3 },
    ).toEqual([fresh, fresh, fresh])
    // One of the sleeper, one of s2.
    expect(await front.statements(key), STATEMENTS, { hint: 2 }).toBeLessThanOrEqual(2)
  },
)
