import { Hono } from 'hono'

export const views = new Hono()

// #region views
const counts = new Map<string, number>()

views.post('/api/pages/:page/views', async (c) => {
  const page = c.req.param('page')
  // TODO(counters): one count for all instances, and none lost between the reading and the writing.
  const count = (counts.get(page) ?? 0) + 1
  counts.set(page, count)
  return c.json({ views: count })
})

views.get('/api/pages/:page/views', async (c) => {
  return c.json({ views: counts.get(c.req.param('page')) ?? 0 })
})
// #endregion views
