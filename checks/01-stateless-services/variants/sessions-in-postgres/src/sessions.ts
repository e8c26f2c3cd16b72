import { createHash, randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { SESSION_TTL_MS } from './config.ts'
import { bodyOf, isText } from './input.ts'
import { query } from './stores.ts'

export const sessions = new Hono()

sessions.post('/api/login', async (c) => {
  const { user } = await bodyOf(c)
  if (!isText(user, 100)) return c.json({ error: 'invalid_user' }, 400)
  const token = randomBytes(16).toString('hex')
  await query(
    `insert into sessions (token_hash, user_name, ends) values ($1, $2, now() + $3 * interval '1 millisecond')`,
    [hashOf(token), user, SESSION_TTL_MS],
  )
  // A cookie of the browser's own session: the server alone says when it ends.
  setCookie(c, 'session', token, { httpOnly: true, sameSite: 'Strict', path: '/' })
  return c.json({ user })
})

sessions.get('/api/me', async (c) => {
  const [session] = await query('select user_name from sessions where token_hash = $1 and ends > now()', [
    hashOf(getCookie(c, 'session') ?? ''),
  ])
  return session ? c.json({ user: session.user_name }) : c.json({ error: 'unauthorized' }, 401)
})

sessions.post('/api/logout', async (c) => {
  await query('delete from sessions where token_hash = $1', [hashOf(getCookie(c, 'session') ?? '')])
  deleteCookie(c, 'session', { path: '/' })
  return c.body(null, 204)
})

/** Who reads the table must not be able to log in with what stands there. */
function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}
