import { timingSafeEqual } from 'node:crypto'
import type { MiddlewareHandler } from 'hono'
import { TOKEN_HEADER } from '../src/live/protocol.ts'

/**
 * Only a browser that was pointed at this very server gets an answer. A foreign name that resolves to 127.0.0.1 (DNS
 * rebinding) carries its own Host, a foreign page its own Origin.
 */
export function onlyOurselves(port: () => number): MiddlewareHandler {
  return async (c, next) => {
    const hosts = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port()}`)
    const host = c.req.header('host') ?? ''
    if (!hosts.includes(host)) return c.json({ error: 'foreign_host' }, 403)
    const origin = c.req.header('origin')
    if (origin !== undefined && origin !== `http://${host}`) return c.json({ error: 'foreign_origin' }, 403)
    const site = c.req.header('sec-fetch-site')
    const api = c.req.path.startsWith('/api/')
    // Another port of this machine is "same-site" and foreign all the same.
    if (api && site !== undefined && site !== 'same-origin' && site !== 'none')
      return c.json({ error: 'foreign_origin' }, 403)
    return await next()
  }
}

/** What changes something needs the token that our own pages have read, and a JSON body from our own origin. */
export function onlyWithToken(token: string): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.header('origin') === undefined) return c.json({ error: 'origin_missing' }, 403)
    if (!equal(c.req.header(TOKEN_HEADER) ?? '', token)) return c.json({ error: 'wrong_token' }, 403)
    if (!/^application\/json\b/.test(c.req.header('content-type') ?? ''))
      return c.json({ error: 'not_json' }, 415)
    return await next()
  }
}

function equal(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Headers of every answer. `scripts` are the hashes of the page's own inline scripts. */
export function securityHeaders(scripts: readonly string[] = []): Record<string, string> {
  const policy = [
    `default-src 'none'`,
    // The search index is WebAssembly.
    `script-src 'self' 'wasm-unsafe-eval' ${scripts.join(' ')}`.trim(),
    `style-src 'self'`,
    `style-src-attr 'unsafe-inline'`,
    `img-src 'self' data:`,
    `font-src 'self'`,
    `connect-src 'self'`,
    `base-uri 'none'`,
    `form-action 'none'`,
    `frame-ancestors 'none'`,
  ]
  return {
    'content-security-policy': policy.join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'x-frame-options': 'DENY',
  }
}
