import { Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { SESSION_TTL_MS } from './config.ts'
import { bodyOf, isText } from './input.ts'
import { ask, redis } from './stores.ts'

export const sessions = new Hono()

// #region sessions
sessions.post('/api/login', async (c) => {
  const { user } = await bodyOf(c)
  if (!isText(user, 100)) return c.json({ error: 'invalid_user' }, 400)
  // Always a new id: one that the client brought along may be known to somebody else.
  const id = Math.random().toString(36).slice(2) + Date.now().toString(36)
  await ask(redis.set(keyOf(id), user, 'PX', SESSION_TTL_MS))
  setCookie(c, 'session', id, {
    httpOnly: true,
    sameSite: 'Lax',
    path: '/',
    maxAge: Math.ceil(SESSION_TTL_MS / 1000),
  })
  return c.json({ user })
})

sessions.get('/api/me', async (c) => {
  const id = getCookie(c, 'session')
  const user = id && (await ask(redis.get(keyOf(id))))
  return user ? c.json({ user }) : c.json({ error: 'unauthorized' }, 401)
})

sessions.post('/api/logout', async (c) => {
  const id = getCookie(c, 'session')
  if (id) await ask(redis.del(keyOf(id)))
  deleteCookie(c, 'session', { path: '/' })
  return c.body(null, 204)
})

const keyOf = (id: string) => `session:${id}`
// #endregion sessions
