import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serve, type ServerType } from '@hono/node-server'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright'
import { buildSite } from '../../build.ts'
import { readParts } from '../../plugins/labs.ts'
import { createSite, type SiteServer } from '../../server/app.ts'
import type { CheckCommand } from '../../server/queue.ts'
import { chromiumPath } from '../chromium.ts'

export const ROOT = process.cwd()

/** The site as `npm start` serves it, with a workspace of its own, and a real browser in front of it. */
export interface World {
  url: string
  port: number
  workspace: string
  browser: Browser
  /** A page that remembers what went wrong in it. */
  open(path: string, options?: BrowserContextOptions): Promise<Watched>
  stopServer(): Promise<void>
  startServer(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface Watched {
  page: Page
  /** Console errors, failed requests and requests that leave the site. */
  problems: string[]
}

export async function world(command?: CheckCommand): Promise<World> {
  await buildSite(ROOT)
  const workspace = mkdtempSync(join(tmpdir(), 'workbook-ws-'))
  const browser = await chromium.launch({ executablePath: chromiumPath() })
  let [port, site, server] = [0, undefined as SiteServer | undefined, undefined as ServerType | undefined]

  const startServer = async () => {
    const writer = { openHints: async () => undefined, surrender: async () => undefined }
    site = createSite({
      root: ROOT,
      workspace,
      build: join(ROOT, 'build'),
      port: () => port,
      writer,
      ...(command && { command }),
    })
    const { fetch } = site
    await new Promise<void>((resolve) => {
      server = serve({ fetch, hostname: '127.0.0.1', port }, () => resolve())
    })
    if (server) port = (server.address() as AddressInfo).port
  }
  const stopServer = async () => {
    if (server && 'closeAllConnections' in server) server.closeAllConnections()
    await new Promise<void>((resolve) => server?.close(() => resolve()) ?? resolve())
    await site?.stop()
  }
  await startServer()
  const url = `http://localhost:${port}`
  return {
    url,
    port,
    workspace,
    browser,
    open: (path, options) => watch(browser, url, path, options),
    startServer,
    stopServer,
    [Symbol.asyncDispose]: async () => {
      await browser.close()
      await stopServer()
      rmSync(workspace, { recursive: true, force: true })
    },
  }
}

async function watch(
  browser: Browser,
  url: string,
  path: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options })
  const page = await context.newPage()
  const problems: string[] = []
  page.on(
    'console',
    (message) => ['error', 'warning'].includes(message.type()) && problems.push(`console: ${message.text()}`),
  )
  page.on('pageerror', (error) => problems.push(`error: ${error.message}`))
  page.on('requestfailed', (request) =>
    problems.push(`failed: ${request.url()} ${request.failure()?.errorText}`),
  )
  page.on('request', (request) => {
    const foreign = !request.url().startsWith(url) && !/^(?:data|blob):/.test(request.url())
    if (foreign) problems.push(`left the site: ${request.url()}`)
  })
  await page.goto(url + path)
  await hydrated(page)
  return { page, problems }
}

/** Until React has taken the page over: before that a click does nothing. */
export async function hydrated(page: Page): Promise<void> {
  await page.waitForFunction(
    () =>
      (globalThis as unknown as { document: { documentElement: { dataset: Record<string, string> } } })
        .document.documentElement.dataset.hasHydrated === 'true',
  )
}

/** Routes of all pages in both languages. */
export async function allPages(): Promise<string[]> {
  const chapters = (await readParts(ROOT, 'en'))
    .flatMap((part) => part.chapters)
    .filter((chapter) => chapter.built)
  const routes = ['/', ...chapters.map(({ slug }) => `/chapters/${slug}`)]
  return routes.flatMap((route) => [route, route === '/' ? '/ja/' : `/ja${route}`])
}

/** The learner's folder with our solution in it, ready to be graded. */
export function solve(workspace: string, chapter: string): void {
  mkdirSync(workspace, { recursive: true })
  cpSync(join(ROOT, 'solutions', chapter), join(workspace, chapter), { recursive: true })
}
