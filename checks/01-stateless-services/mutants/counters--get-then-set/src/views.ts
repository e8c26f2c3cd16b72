import { Hono } from 'hono'
import { ask, redis } from './stores.ts'

export const views = new Hono()

// #region views
views.post('/api/pages/:page/views', async (c) => {
  const key = keyOf(c.req.param('page'))
  const count = Number((await ask(redis.get(key))) ?? 0) + 1
  await ask(redis.set(key, count))
  return c.json({ views: count })
})

views.get('/api/pages/:page/views', async (c) => {
  const count = await ask(redis.get(keyOf(c.req.param('page'))))
  return c.json({ views: Number(count ?? 0) })
})

const keyOf = (page: string) => `views:${page}`
// #endregion views
