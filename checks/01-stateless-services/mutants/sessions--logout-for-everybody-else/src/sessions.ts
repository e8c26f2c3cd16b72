import { createHmac, randomBytes } from 'node:crypto'
import { Hono } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'
import { timingSafeEqual } from 'hono/utils/buffer'
import { SESSION_TTL_MS } from './config.ts'
import { bodyOf, isText } from './input.ts'

export const sessions = new Hono()

const SECRET = 'slackpad'

interface Session {
  user: string
  ends: number
  nonce: string
}

// #region sessions
sessions.post('/api/login', async (c) => {
  const { user } = await bodyOf(c)
  if (!isText(user, 100)) return c.json({ error: 'invalid_user' }, 400)
  const nonce = randomBytes(16).toString('base64url')
  setCookie(c, 'session', sign({ user, ends: Date.now() + SESSION_TTL_MS, nonce }), {
    httpOnly: true,
    sameSite: 'Lax',
    path: '/',
    maxAge: Math.ceil(SESSION_TTL_MS / 1000),
  })
  return c.json({ user })
})

sessions.get('/api/me', async (c) => {
  const session = await verify(getCookie(c, 'session') ?? '')
  if (!session || session.ends < Date.now()) return c.json({ error: 'unauthorized' }, 401)
  return c.json({ user: session.user })
})

/** Nothing is stored, so there is nothing to delete but the cookie. */
sessions.post('/api/logout', async (c) => {
  deleteCookie(c, 'session', { path: '/' })
  return c.body(null, 204)
})

function sign(session: Session): string {
  const payload = Buffer.from(JSON.stringify(session)).toString('base64url')
  return `${payload}.${signatureOf(payload)}`
}

async function verify(token: string): Promise<Session | undefined> {
  const [payload = '', signature = ''] = token.split('.')
  if (!(await timingSafeEqual(signature, signatureOf(payload)))) return undefined
  return JSON.parse(Buffer.from(payload, 'base64url').toString())
}

function signatureOf(payload: string): string {
  return createHmac('sha256', SECRET).update(payload).digest('base64url')
}
// #endregion sessions
