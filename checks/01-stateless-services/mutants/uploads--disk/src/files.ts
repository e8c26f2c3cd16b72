import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { Hono } from 'hono'
import { MAX_UPLOAD_BYTES } from './config.ts'

export const files = new Hono()

// #region files
const FOLDER = './uploads'
const types = new Map<string, string>()

files.put('/api/files/:name', async (c) => {
  const name = c.req.param('name')
  const bytes = Buffer.from(await c.req.arrayBuffer())
  if (bytes.length > MAX_UPLOAD_BYTES) return c.json({ error: 'too_large' }, 413)
  await mkdir(FOLDER, { recursive: true })
  await writeFile(pathOf(name), bytes)
  types.set(name, c.req.header('content-type') ?? 'application/octet-stream')
  const etag = etagOf(bytes)
  return c.json({ name, bytes: bytes.length, etag }, 200, { etag })
})

files.get('/api/files/:name', async (c) => {
  const name = c.req.param('name')
  const type = types.get(name)
  if (type === undefined) return c.json({ error: 'not_found' }, 404)
  const bytes = await readFile(pathOf(name))
  const etag = etagOf(bytes)
  if (c.req.header('if-none-match') === etag) return c.body(null, 304, { etag })
  return c.body(new Uint8Array(bytes), 200, { 'content-type': type, etag })
})

const pathOf = (name: string) => `${FOLDER}/${encodeURIComponent(name)}`
// #endregion files

function etagOf(bytes: Buffer): string {
  return `"${createHash('sha256').update(bytes).digest('base64url')}"`
}
