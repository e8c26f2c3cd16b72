import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { bodyOf, isKey, isText } from './input.ts'
import { transaction } from './stores.ts'

/** What a key stands for: the content that came with it, and the answer it got. */
interface Known {
  fingerprint: string
  answer: { id: number; item: string; quantity: number }
}

export const orders = new Hono()

// #region orders
orders.post('/api/orders', async (c) => {
  const key = c.req.header('idempotency-key')
  if (!key) return c.json({ error: 'missing_idempotency_key' }, 400)
  if (!isKey(key)) return c.json({ error: 'invalid_idempotency_key' }, 400)
  const { item, quantity } = await bodyOf(c)
  if (!isText(item, 100) || !isQuantity(quantity)) return c.json({ error: 'invalid_order' }, 400)

  const fingerprint = fingerprintOf(item, quantity)
  const known = await transaction(async (client): Promise<Known | undefined> => {
    // Held until the transaction ends. Who does not get it need not wait: the client asks again.
    const lock = await client.query('select pg_try_advisory_xact_lock(hashtextextended($1, 1)) as mine', [
      key,
    ])
    if (!lock.rows[0].mine) return undefined
    const found = await client.query('select fingerprint, answer from idempotency_keys where key = $1', [key])
    if (found.rows[0]) return found.rows[0]
    const { rows } = await client.query(
      'insert into orders (item, quantity) values ($1, $2) returning id::int, item, quantity',
      [item, quantity],
    )
    const fresh = { fingerprint, answer: rows[0] }
    await client.query('insert into idempotency_keys values ($1, $2, $3)', [key, fingerprint, fresh.answer])
    return fresh
  })
  if (!known) return c.json({ error: 'in_progress' }, 409)
  if (known.fingerprint !== fingerprint) return c.json({ error: 'idempotency_key_reused' }, 422)
  return c.json(known.answer, 201)
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
