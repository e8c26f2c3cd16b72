import { createHash } from 'node:crypto'
import { Hono } from 'hono'
import { MAX_UPLOAD_BYTES } from './config.ts'
import { query } from './stores.ts'

export const files = new Hono()

// #region files
files.put('/api/files/:name', async (c) => {
  const name = c.req.param('name')
  const type = c.req.header('content-type') ?? 'application/octet-stream'
  const body = Buffer.from(await c.req.text())
  if (body.length > MAX_UPLOAD_BYTES) return c.json({ error: 'too_large' }, 413)
  const etag = etagOf(body)
  await query(
    `insert into files (name, content_type, body, etag) values ($1, $2, $3, $4)
     on conflict (name) do update
     set content_type = excluded.content_type, body = excluded.body, etag = excluded.etag`,
    [name, type, body, etag],
  )
  return c.json({ name, bytes: body.length, etag }, 200, { etag })
})

files.get('/api/files/:name', async (c) => {
  const [file] = await query('select content_type, body, etag from files where name = $1', [
    c.req.param('name'),
  ])
  if (!file) return c.json({ error: 'not_found' }, 404)
  const { etag, body, content_type: type } = file
  if (c.req.header('if-none-match') === etag) return c.body(null, 304, { etag })
  return c.body(new Uint8Array(body), 200, { 'content-type': type, etag })
})
// #endregion files

function etagOf(bytes: Buffer): string {
  return `"${createHash('sha256').update(bytes).digest('base64url')}"`
}
