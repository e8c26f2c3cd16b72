import { eventually, expect, say, test, when } from '#harness'
import { replaced, topologyOf, writable } from './looks.ts'
import { insert, partFrom, received, rowsOf, set } from './rows.ts'
import { oneCandidate } from './whole.ts'

// #region received
test(
  say('fenced first, then the one that received most', '先に隔離し、最も多く受け取った一台を選ぶ'),
  async ({ random }) => {
    const cluster = await oneCandidate(random)
    const { primary, a, b, power } = cluster
    await set(a, 'recovery_min_apply_delay', '1h')
    await eventually(
      say(`${a.name} delays its replay`, `${a.name}が再生を遅らせている`),
      async () => (await a.sql('SHOW recovery_min_apply_delay'))[0]?.recovery_min_apply_delay,
      '1h',
    )
    await insert(primary, 'one')
    await Promise.all([received(primary, a), received(primary, b)])
    await eventually(
      say(
        `row one can be read on ${b.name}, not yet on ${a.name}`,
        `1行目は${b.name}では読め、${a.name}ではまだ読めない`,
      ),
      async () => [await rowsOf(b, 'one'), await rowsOf(a, 'one')],
      [1, 0],
    )
    await partFrom(cluster, primary, b)
    await insert(primary, 'two')
    await received(primary, a)
    const { epoch } = (await topologyOf(cluster))!

    when(
      `row two has reached ${a.name} only, which has replayed neither; the primary is killed`,
      `2行目が届いたのは${a.name}だけで、どちらの行もまだ再生していない。ここでプライマリを強制終了する`,
    )
    await primary.kill({ forGood: true })
    await replaced(cluster)
    const [first] = power.asked('fence')
    expect(first?.node, say('the first node that was fenced', '最初に隔離されたノード'), { hint: 2 }).toBe(
      primary.name,
    )
    expect(
      first?.writable,
      say(
        'nodes already writable when the fence was asked for',
        '隔離を求めた時点で、すでに書き込めたノード',
      ),
      {
        hint: 2,
      },
    ).toEqual([])
    const topology = (await topologyOf(cluster))!
    expect(topology.primary.name, say('the new primary', '新しいプライマリ'), { hint: 2 }).toBe(a.name)
    expect(topology.epoch, say('epoch', 'epoch')).toBeGreaterThan(epoch)
    await eventually(
      say(`${a.name} and nobody else takes writes`, `書き込めるのは${a.name}だけ`),
      () => writable(cluster),
      [a.name],
    )
    expect(await rowsOf(a, 'two'), say('row two on the new primary', '新しいプライマリの2行目'), {
      hint: 2,
    }).toBe(1)
    expect(await rowsOf(a, 'one'), say('row one on the new primary', '新しいプライマリの1行目')).toBe(1)
  },
)
// #endregion received

// #region frozen
test(
  say('a primary that only slept acknowledges nothing', '眠っていただけのプライマリは何も確認しない'),
  async ({ random }) => {
    const cluster = await oneCandidate(random)
    const { primary, db, power } = cluster
    const client = await db.client()
    when('the primary is frozen, and an INSERT is sent to it', 'プライマリを凍結し、INSERTを送る')
    await primary.freeze()
    let end: 'acknowledged' | 'connection broken' | undefined
    let endedAt = 0
    const ended = (how: typeof end) => () => {
      end = how
      endedAt = performance.now()
    }
    void client
      .query("INSERT INTO orders VALUES (gen_random_uuid(), 'late')")
      .then(ended('acknowledged'), ended('connection broken'))
    await replaced(cluster)
    when(
      'another node is the primary, and the old one is thawed',
      '別のノードがプライマリになり、古いほうを解凍する',
    )
    await primary.thaw()
    await eventually(say('an end of the INSERT', 'INSERTの結末'), () => end, Boolean, { hint: 2 })
    // A server that is killed in its sleep may twitch: what counts is what it says once the fence is confirmed.
    const fencedAt = power.asked('fence').find(({ status }) => status === 204)?.doneAt ?? 0
    expect(
      endedAt > fencedAt ? end : 'connection broken',
      say('the INSERT, after the fence', '隔離したあとのINSERT'),
      { hint: 2 },
    ).toBe('connection broken')
  },
)
// #endregion frozen
