import { eventually, expect, say } from '#harness'
import { path, type Shop } from '../../labs/13-redis-cluster/tests/shop.ts'

/** Once it is answered by both, no older price is answered again. */
export async function stays({ a, b }: Shop, id: string, price: number): Promise<void> {
  const prices = new Set<unknown>()
  for (let i = 0; i < 10; i++)
    for (const server of [a, b]) prices.add((await server.get(path(id))).body?.price)
  expect(prices, say('prices in 20 further reads', 'その後20回読んだ価格')).toEqual(new Set([price]))
}

/** What was owed to the cache has been paid, where the outbox is used at all. */
export async function outboxEmpty({ db }: Shop): Promise<void> {
  await eventually(
    say('rows in cache_outbox', 'cache_outboxの行数'),
    async () => (await db.sql('SELECT id FROM cache_outbox')).length,
    0,
    { within: 3000 },
  )
}
