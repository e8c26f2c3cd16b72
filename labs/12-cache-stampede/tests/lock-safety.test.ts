import { beforeAll, eventually, expect, say, test, when, type Answer } from '#harness'
import { hold, newKey, openFront, plant, STATEMENTS, tally, waiting, warmUp, type Front } from './front.ts'

let front: Front

/** Locks of s0 and s1 live shortly: these two die, or sleep. Those who take over have time. */
const SHORT = { LOCK_TTL_MS: 400 }

beforeAll(async () => {
  front = await openFront(4, {}, [SHORT, SHORT])
  await warmUp(front)
})

const lockOf = (key: string): Promise<string | null> => front.redis.client.get(`lock:${key}`)

// #region crash
test(say('the holder of the lock is killed', 'ロックの持ち主が強制終了される'), async ({ random }) => {
  const value = random.word()
  const key = await front.row(value)
  const lock = await hold(front)
  when(
    's0 computes a key and holds lock:<key>; s2 and s3 wait for it; s0 is killed (SIGKILL)',
    's0がキーを計算中でlock:<key>を持ち、s2とs3が待っている。そこでs0を強制終了（SIGKILL）する',
  )
  void front.get(0, key)
  await waiting(front, 0)
  expect(await lockOf(key), say('lock:<key> in Redis', 'Redisのlock:<key>')).not.toBeNull()
  const readers = [2, 3, 2, 3].map((server) => front.get(server, key, '', { within: 400 + 2000 }))
  await front.servers[0]!.kill()
  await lock.release()
  const answers = await Promise.all(readers)
  for (const answer of answers)
    expect(answer, say('within LOCK_TTL_MS + 2 s', 'LOCK_TTL_MS＋2秒以内')).toAnswer(200, { value })
  expect(await front.statements(key), STATEMENTS, { hint: 2 }).toBe(2)
})
// #endregion crash

/** s1 has the lock and the answer of Postgres waits in its socket, but it sleeps. */
async function sleepingHolder(key: string): Promise<{ reply: Promise<Answer>; token: string }> {
  const lock = await hold(front)
  const reply = front.get(1, key)
  await waiting(front, 1)
  const token = await lockOf(key)
  expect(token, say('lock:<key> in Redis', 'Redisのlock:<key>')).not.toBeNull()
  await front.servers[1]!.freeze()
  await lock.release()
  await eventually(
    say('the statement of s1 is done', 's1の文が終わる'),
    () => front.db.activity({ application: 's1' }),
    (backends) => backends.every(({ state }) => state !== 'active'),
  )
  return { reply, token: token! }
}

/** s1 goes on, and has sent to Redis all that it had to send. */
async function wakeUp(reply: Promise<Answer>): Promise<void> {
  const other = newKey()
  await plant(front, other)
  await front.servers[1]!.thaw()
  await reply
  await front.get(1, other)
}

// #region late-release
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
      { within: 3000 },
    )
    // Its statement waits for the table until the end of this test.
    await waiting(front, 2)
    await wakeUp(reply)
    expect(await lockOf(key), say("lock:<key>, s2's token", 's2のトークンを持つlock:<key>'), {
      hint: 2,
    }).toBe(next)
    await lock.release()
    expect(await second).toAnswer(200)
  },
)
// #endregion late-release

// #region late-fill
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
    const answers = await Promise.all([1, 2, 3].map((server) => front.get(server, key)))
    expect(tally(answers)).toEqual({ 200: 3 })
    expect(
      answers.map(({ body }) => body?.value),
      say('value at s1, s2, s3 afterwards', 'そのあとのs1、s2、s3の値'),
      { hint: 3 },
    ).toEqual([fresh, fresh, fresh])
  },
)
// #endregion late-fill
