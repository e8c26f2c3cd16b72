import { eventually, expect, say, type StartedRole } from '#harness'
import { path, seen, type Shop } from '../../labs/13-redis-cluster/tests/shop.ts'

/**
 * The server comes to answer this price, from the cache again: within the 2 s that are promised after a node is back.
 * What comes past the cache is right in any case.
 */
export async function answersPrice(
  server: StartedRole,
  id: string,
  price: number,
  within = 2000,
): Promise<void> {
  await eventually(
    say(
      `${server.name} answers the price ${price}, from the cache`,
      `${server.name}が価格${price}をキャッシュから答える`,
    ),
    async () => {
      const answer = await server.get(path(id))
      return `${seen(answer)} ${answer.body?.price}`
    },
    `200 hit ${price}`,
    { within },
  )
}

/** And it never answers an older one again. */
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
