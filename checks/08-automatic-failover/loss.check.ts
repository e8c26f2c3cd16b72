import { expect, say, test, when } from '#harness'
import {
  leaderOf,
  published,
  quiet,
  replaced,
  writable,
} from '../../labs/08-automatic-failover/tests/looks.ts'
import { blockedFor, force, writeAndShow } from '../../labs/08-automatic-failover/tests/losing.ts'
import { insert, partFrom, rowsOf } from '../../labs/08-automatic-failover/tests/rows.ts'
import { bothCandidates, rejoin } from '../../labs/08-automatic-failover/tests/whole.ts'

test(say('a little may be lost', '少しなら失ってもよい'), async ({ random }) => {
  const cluster = await bothCandidates(random)
  const { primary, a, b } = cluster
  await Promise.all([partFrom(cluster, primary, a), partFrom(cluster, primary, b)])
  await writeAndShow(cluster, primary, 100_000)
  when(
    '100 kB that no replica has; the primary is killed',
    'どのレプリカにもない100kBを残して、プライマリを強制終了する',
  )
  await primary.kill({ forGood: true })
  await replaced(cluster)
})

test(say('one of two is not enough', '二台のうち一台では足りない'), async ({ random }) => {
  const cluster = await bothCandidates(random, { synchronous: true })
  const { primary, a, b } = cluster
  await partFrom(cluster, primary, a)
  for (let i = 0; i < 5; i++) await insert(primary, 'paid')
  when(
    `only ${b.name} has 5 acknowledged rows; it and the primary are killed`,
    `確認済みの5行を持つのは${b.name}だけ。それとプライマリを強制終了する`,
  )
  await Promise.all([primary.kill({ forGood: true }), b.kill({ forGood: true })])
  await blockedFor(cluster, 'too_few_candidates', 3)
  await quiet(cluster, 5)
  expect(await writable(cluster), say('writable nodes', '書き込めるノード'), { hint: 3 }).toEqual([])
  when(`${b.name} is powered on`, `${b.name}の電源を入れる`)
  await b.start()
  const next = await replaced(cluster, primary, 3)
  expect(next.name, say('the new primary', '新しいプライマリ')).toBe(b.name)
  expect(await rowsOf(b, 'paid'), say('acknowledged rows on it', 'そこにある確認済みの行')).toBe(5)
})

test(say('force is for one time', '強制は一回限り'), async ({ random }) => {
  const cluster = await bothCandidates(random)
  const { primary, a, b, controllers } = cluster
  when('in peace: POST /failover {"force":true}', '平時にPOST /failover {"force":true}')
  const leader = await leaderOf(cluster)
  const follower = controllers.find((controller) => controller !== leader)!
  expect(await follower.post('/failover', { force: true })).toAnswer(409, { error: 'not_leader' })
  expect(await leader.post('/failover', { force: true })).toAnswer(409, { error: 'primary_healthy' })

  await Promise.all([partFrom(cluster, primary, a), partFrom(cluster, primary, b)])
  await writeAndShow(cluster, primary, 2 * 1024 * 1024)
  when(
    '2 MB that no replica has; the primary is killed',
    'どのレプリカにもない2MBを残して、プライマリを強制終了する',
  )
  await primary.kill({ forGood: true })
  await blockedFor(cluster, 'max_lost_bytes')

  when(
    'all controllers are killed and started while the failover is blocked',
    'フェイルオーバーがblockedの間に、すべてのコントローラーを強制終了し、起動する',
  )
  await Promise.all(controllers.map((controller) => controller.restart()))
  await blockedFor(cluster, 'max_lost_bytes', 1)
  await quiet(cluster, 5)
  expect(await writable(cluster), say('writable nodes', '書き込めるノード'), { hint: 1 }).toEqual([])

  when('still blocked: POST /failover {"force":false}', 'blockedのままPOST /failover {"force":false}')
  const unforced = await (await leaderOf(cluster)).post('/failover', { force: false })
  expect(unforced, say('a failover that is not forced', '強制しないフェイルオーバー'), { hint: 3 }).toAnswer(
    409,
  )
  await quiet(cluster, 5)
  expect(await writable(cluster), say('writable nodes', '書き込めるノード'), { hint: 3 }).toEqual([])

  when('the failover is forced', 'フェイルオーバーを強制する')
  await force(cluster)
  const next = await replaced(cluster)
  await rejoin(cluster, next)
  await published(cluster, next)
  const others = cluster.nodes.filter((node) => node !== next)
  await Promise.all(others.map((node) => partFrom(cluster, next, node)))
  await writeAndShow(cluster, next, 2 * 1024 * 1024)
  when('the same with the new primary', '新しいプライマリでも同じことが起きる')
  await next.kill({ forGood: true })
  await blockedFor(cluster, 'max_lost_bytes')
  await quiet(cluster, 5)
  expect(await writable(cluster), say('writable nodes', '書き込めるノード')).toEqual([])
})
