import { randomUUID } from 'node:crypto'
import { eventually, expect, say, test, when } from '#harness'
import { published, replaced } from './looks.ts'
import { newOrder, startService } from './orders.ts'
import { streams } from './rows.ts'
import { bothCandidates } from './whole.ts'

// #region return
test(say('it comes back as a replica', 'レプリカとして戻る'), async ({ random }) => {
  const cluster = await bothCandidates(random)
  const { primary: old, nodes, power } = cluster
  await old.kill({ forGood: true })
  const [next, { server }] = await Promise.all([replaced(cluster), startService()])
  power.refuse('reseed', 0)

  when(
    'another node is the primary; the old one is powered on with its old data, and a row is written straight into it',
    '別のノードがプライマリになった。古いほうの電源を、元のデータのまま入れ、直接1行書き込む',
  )
  await old.start().catch(() => {}) // a design that did not wait for its return may fence it at any moment
  const rogue = randomUUID()
  await old.sql("INSERT INTO orders VALUES ($1, 'rogue')", [rogue]).catch(() => {}) // refused: all the better
  const orders = Array.from({ length: 5 }, () => newOrder())
  for (const order of orders) {
    await eventually(
      say('the service takes orders', 'サービスが注文を受ける'),
      async () => (await server.post('/orders', order)).status,
      (status) => status === 201 || status === 200,
      { within: 8000 },
    )
  }
  await published(
    cluster,
    next,
    nodes.filter((node) => node !== next),
    { within: 20_000, hint: 2 },
  )
  expect(await old.inRecovery(), say(`${old.name} in recovery`, `${old.name}がリカバリー中`)).toBe(true)
  await streams(old, next)
  for (const node of nodes) {
    const rows = await node.sql('SELECT 1 FROM orders WHERE id = $1', [rogue])
    expect(rows.length, say(`the stray row on ${node.name}`, `はぐれた行が${node.name}にある数`)).toBe(0)
  }
  const rows = await next.sql('SELECT 1 FROM orders WHERE id = ANY($1)', [orders.map(({ id }) => id)])
  expect(
    rows.length,
    say(`the service's orders on ${next.name}`, `サービスの注文が${next.name}にある数`),
  ).toBe(5)
})
// #endregion return
