import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { bodyOf, isKey, isText } from './input.ts'
import { ask, query, redis } from './stores.ts'

export const orders = new Hono()

// #region orders
orders.post('/api/orders', async (c) => {
  const key = c.req.header('idempotency-key')
  if (!key) return c.json({ error: 'missing_idempotency_key' }, 400)
  if (!isKey(key)) return c.json({ error: 'invalid_idempotency_key' }, 400)
  const { item, quantity } = await bodyOf(c)
  if (!isText(item, 100) || !isQuantity(quantity)) return c.json({ error: 'invalid_order' }, 400)

  // Redis lets one request through: the first that sets the key.
  const fingerprint = fingerprintOf(item, quantity)
  const stored = `order:${key}`
  const first = await ask(redis.set(stored, JSON.stringify({ fingerprint }), 'NX'))
  if (!first) {
    const known = JSON.parse((await ask(redis.get(stored)))!) as { fingerprint: string; id?: number }
    if (known.fingerprint !== fingerprint) return c.json({ error: 'idempotency_key_reused' }, 422)
    if (known.id === undefined) return c.json({ error: 'in_progress' }, 409)
    return c.json({ id: known.id, item, quantity }, 201)
  }
  const [order] = await query('insert into orders (item, quantity) values ($1, $2) returning id::int', [
    item,
    quantity,
  ])
  await ask(redis.set(stored, JSON.stringify({ fingerprint, id: order!.id })))
  return c.json({ id: order!.id, item, quantity }, 201)
})

/** Of what the order says, not of how its JSON is written. */
function fingerprintOf(item: string, quantity: number): string {
  return createHash('sha256')
    .update(JSON.stringify([item, quantity]))
    .digest('base64url')
}
// #endregion orders

function isQuantity(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 1000
}
