import { expect, say, test, when } from '#harness'
import { quiet, replaced, writable } from './looks.ts'
import { insert, partFrom, received, rowsOf } from './rows.ts'
import { blockedFor, force, writeAndShow } from './losing.ts'
import { bothCandidates } from './whole.ts'

// #region synchronous
test(say('synchronous: the replica that has all of it', '同期：すべてを持つレプリカ'), async ({ random }) => {
  const cluster = await bothCandidates(random, { synchronous: true })
  const { primary, a, b } = cluster
  await partFrom(cluster, primary, a)
  when(
    `${a.name} is cut off, 20 rows are acknowledged through ${b.name}, and the primary is killed`,
    `${a.name}を切り離し、${b.name}を通して20行が確認されたあと、プライマリを強制終了する`,
  )
  for (let i = 0; i < 20; i++) await insert(primary, 'paid')
  await primary.kill({ forGood: true })
  const next = await replaced(cluster)
  expect(next.name, say('the new primary', '新しいプライマリ')).toBe(b.name)
  expect(await rowsOf(b, 'paid'), say('acknowledged rows on it', '確認された行の数')).toBe(20)
})
// #endregion synchronous

// #region blocked
test(
  say('asynchronous: too much to lose without being asked', '非同期：黙って失うには多すぎる'),
  async ({ random }) => {
    const cluster = await bothCandidates(random)
    const { primary, a, b } = cluster
    await insert(primary, 'before')
    await Promise.all([received(primary, a), received(primary, b)])
    await Promise.all([partFrom(cluster, primary, a), partFrom(cluster, primary, b)])
    await writeAndShow(cluster, primary, 2 * 1024 * 1024)
    when(
      '2 MB that no replica has received; the primary is killed',
      'どのレプリカも受け取っていない2MBを残して、プライマリを強制終了する',
    )
    await primary.kill({ forGood: true })
    await blockedFor(cluster, 'max_lost_bytes', 3)
    await quiet(cluster, 5)
    expect(await writable(cluster), say('writable nodes', '書き込めるノード')).toEqual([])

    when('the leader gets POST /failover {"force":true}', 'リーダーにPOST /failover {"force":true}を送る')
    await force(cluster)
    const next = await replaced(cluster)
    expect(await rowsOf(next, 'before'), say('rows from before the cut', '切り離す前の行')).toBe(1)
    expect(await rowsOf(next, 'after'), say('rows from after the cut', '切り離したあとの行')).toBe(0)
  },
)
// #endregion blocked
