import { existsSync } from 'node:fs'

const USUAL = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** The browser to use: `CHROMIUM`, else the system's, else Playwright's own. */
export function chromiumPath(): string | undefined {
  return process.env.CHROMIUM ?? USUAL.find((path) => existsSync(path))
}
