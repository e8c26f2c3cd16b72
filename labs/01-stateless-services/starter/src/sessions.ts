import { randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { SESSION_TTL_MS } from './config.ts'
import { bodyOf, isText } from './input.ts'

export const sessions = new Hono()

// #region sessions
// TODO(sessions): this map is one process's own, and gone with it.
const users = new Map<string, { user: string; ends: number }>()

sessions.post('/api/login', async (c) => {
  const { user } = await bodyOf(c)
  if (!isText(user, 100)) return c.json({ error: 'invalid_user' }, 400)
  const id = randomBytes(24).toString('base64url')
  users.set(id, { user, ends: Date.now() + SESSION_TTL_MS })
  setCookie(c, 'session', id, {
    httpOnly: true,
    sameSite: 'Lax',
    path: '/',
    maxAge: Math.ceil(SESSION_TTL_MS / 1000),
  })
  return c.json({ user })
})

sessions.get('/api/me', async (c) => {
  const session = users.get(getCookie(c, 'session') ?? '')
  if (!session || session.ends < Date.now()) return c.json({ error: 'unauthorized' }, 401)
  return c.json({ user: session.user })
})

sessions.post('/api/logout', async (c) => {
  users.delete(getCookie(c, 'session') ?? '')
  deleteCookie(c, 'session', { path: '/' })
  return c.body(null, 204)
})
// #endregion sessions
