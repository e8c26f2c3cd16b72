import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { bodyOf, isKey, isText } from './input.ts'
import { query } from './stores.ts'

export const orders = new Hono()

// #region orders
orders.post('/api/orders', async (c) => {
  const key = c.req.header('idempotency-key')
  if (!key) return c.json({ error: 'missing_idempotency_key' }, 400)
  if (!isKey(key)) return c.json({ error: 'invalid_idempotency_key' }, 400)
  const { item, quantity } = await bodyOf(c)
  if (!isText(item, 100) || !isQuantity(quantity)) return c.json({ error: 'invalid_order' }, 400)

  // Has this key been seen before? If not, it is a new order.
  const fingerprint = fingerprintOf(item, quantity)
  const [known] = await query('select id::int, fingerprint from orders where idempotency_key = $1', [key])
  if (known && known.fingerprint !== fingerprint) return c.json({ error: 'idempotency_key_reused' }, 422)
  if (known) return c.json({ id: known.id, item, quantity }, 201)
  const [order] = await query(
    'insert into orders (item, quantity, idempotency_key, fingerprint) values ($1, $2, $3, $4) returning id::int',
    [item, quantity, key, fingerprint],
  )
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
