import { Hono } from 'hono'
import { bodyOf, isKey, isText } from './input.ts'

interface Order {
  id: number
  item: string
  quantity: number
}

export const orders = new Hono()

// #region orders
const byKey = new Map<string, Order>()
let lastId = 0

orders.post('/api/orders', async (c) => {
  const key = c.req.header('idempotency-key')
  if (!key) return c.json({ error: 'missing_idempotency_key' }, 400)
  if (!isKey(key)) return c.json({ error: 'invalid_idempotency_key' }, 400)
  const { item, quantity } = await bodyOf(c)
  if (!isText(item, 100) || !isQuantity(quantity)) return c.json({ error: 'invalid_order' }, 400)

  // TODO(idempotent): another instance does not know these keys. Which store may decide, and when?
  const known = byKey.get(key)
  if (known && (known.item !== item || known.quantity !== quantity)) {
    return c.json({ error: 'idempotency_key_reused' }, 422)
  }
  const order = known ?? { id: ++lastId, item, quantity }
  byKey.set(key, order)

  return c.json(order, 201)
})
// #endregion orders

function isQuantity(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 1000
}
