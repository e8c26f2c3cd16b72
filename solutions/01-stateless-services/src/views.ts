import { Hono } from 'hono'
import { ask, redis } from './stores.ts'

export const views = new Hono()

// #region views
views.post('/api/pages/:page/views', async (c) => {
  const count = await ask(redis.incr(keyOf(c.req.param('page'))))
  return c.json({ views: count })
})

views.get('/api/pages/:page/views', async (c) => {
  const count = await ask(redis.get(keyOf(c.req.param('page'))))
  return c.json({ views: Number(count ?? 0) })
})

const keyOf = (page: string) => `views:${page}`
// #endregion views
