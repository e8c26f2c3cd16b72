import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { chromium } from 'playwright'
import { chromiumPath } from '../tests/chromium.ts'
import { staticHost } from './host.ts'

export interface Weight {
  js: number
  css: number
  html: number
}

/** What a browser fetches when it opens a page and does not scroll, gzipped, in bytes. */
export async function weigh(folder: string, path: string): Promise<Weight> {
  const server = await staticHost(folder)
  const browser = await chromium.launch({ executablePath: chromiumPath() })
  try {
    const page = await browser.newPage()
    const sizes = new Map<string, { type: string; size: Promise<number> }>()
    page.on('response', (response) => {
      const type = response.headers()['content-type'] ?? ''
      // A file that is preloaded and then used is one file.
      sizes.set(response.url(), {
        type,
        size: response.body().then(
          (body) => gzipSync(body, { level: 9 }).length,
          () => 0,
        ),
      })
    })
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, {
      waitUntil: 'networkidle',
    })
    const sum = async (kind: string) => {
      const those = await Promise.all(
        [...sizes.values()].filter(({ type }) => type.includes(kind)).map(({ size }) => size),
      )
      return those.reduce((total, size) => total + size, 0)
    }
    return { js: await sum('javascript'), css: await sum('css'), html: await sum('html') }
  } finally {
    await browser.close()
    server.close()
  }
}
