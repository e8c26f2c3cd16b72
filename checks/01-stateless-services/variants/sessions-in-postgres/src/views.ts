import { Hono } from 'hono'
import { query } from './stores.ts'

export const views = new Hono()

views.post('/api/pages/:page/views', async (c) => {
  const [row] = await query(
    `insert into page_views (page, views) values ($1, 1)
     on conflict (page) do update set views = page_views.views + 1
     returning views`,
    [c.req.param('page')],
  )
  return c.json({ views: row!.views })
})

views.get('/api/pages/:page/views', async (c) => {
  const [row] = await query('select views from page_views where page = $1', [c.req.param('page')])
  return c.json({ views: row?.views ?? 0 })
})
