import { createHash } from 'node:crypto'
import { createReadStream, existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import { Readable } from 'node:stream'
import { LIVE_META } from '../src/live/protocol.ts'
import { STAMP } from '../build.ts'
import { securityHeaders } from './security.ts'

const TYPES: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.xml': 'application/xml',
}

interface Page {
  body: string
  headers: Record<string, string>
}

/**
 * The built site. All of its files are listed when the server starts; a request only ever looks its path up in that
 * list, so no path from outside reaches the file system.
 */
export class BuiltSite {
  readonly #pages = new Map<string, Page>()
  readonly #files = new Map<string, string>()

  /** `live`: the pages are told that our server is there. */
  constructor(folder: string, { live = true } = {}) {
    const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    for (const entry of names) {
      if (!entry.isFile()) continue
      const file = join(entry.parentPath, entry.name)
      const url = `/${relative(folder, file).split(sep).join('/')}`
      if (extname(file) === '.html') this.#pages.set(route(url), toPage(readFileSync(file, 'utf8'), live))
      else this.#files.set(url, file)
    }
  }

  /** The answer for a path: a page, a file, the way to a page without the slash at the end, or the 404 page. */
  answer(path: string): Response {
    const page = this.#pages.get(path)
    if (page) return new Response(page.body, { headers: page.headers })
    const file = this.#files.get(path)
    if (file && existsSync(file)) return this.#file(path, file)
    const short = path.replace(/\/+$/, '')
    if (short !== path && this.#pages.has(short))
      return new Response(null, { status: 301, headers: { location: short } })
    const missing = this.#pages.get(path.startsWith('/ja/') ? '/ja/404' : '/404')
    return new Response(missing?.body ?? 'not found', { status: 404, headers: missing?.headers ?? {} })
  }

  #file(path: string, file: string): Response {
    const immutable = path.includes('/assets/')
    return new Response(Readable.toWeb(createReadStream(file)) as ReadableStream, {
      headers: {
        ...securityHeaders(),
        'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
        'content-length': String(statSync(file).size),
        'cache-control': immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
      },
    })
  }
}

/** The built site as it is now: listed anew after another build has taken its place. */
export function currentSite(folder: string): () => BuiltSite {
  const stamp = () => statSync(join(folder, STAMP), { throwIfNoEntry: false })?.mtimeMs ?? 0
  let known = stamp()
  let site = new BuiltSite(folder)
  return () => {
    const now = stamp()
    if (now !== known && now !== 0) [known, site] = [now, new BuiltSite(folder)]
    return site
  }
}

/** `/chapters/x.html` is served as `/chapters/x`, `/ja/index.html` as `/ja/`. */
const route = (url: string) => url.replace(/index\.html$/, '').replace(/\.html$/, '')

function toPage(html: string, live: boolean): Page {
  const body = live ? html.replace('<head>', `<head><meta name="${LIVE_META}" content="yes">`) : html
  const scripts = [...body.matchAll(/<script(?:\s[^>]*)?>([\s\S]*?)<\/script>/g)].map(([, code = '']) => code)
  const hashes = scripts
    .filter(Boolean)
    .map((code) => `'sha256-${createHash('sha256').update(code).digest('base64')}'`)
  return {
    body,
    headers: {
      ...securityHeaders(hashes),
      'content-type': TYPES['.html'] as string,
      'cache-control': 'no-cache',
    },
  }
}
