import { spawn } from 'node:child_process'
import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ROOT } from '#harness/paths'
import { beforeEnd } from './life.ts'

/**
 * `npm run site`, for authors: Docusaurus's dev server with live reload (`-- --locale ja` for Japanese).
 * `draw` draws new and changed diagrams, `polish` sets Japanese punctuation, `build` builds as `npm start` does.
 */
export async function site([what = '', ...args]: string[]): Promise<number | undefined> {
  if (what === 'draw') return draw()
  if (what === 'polish') return polish()
  if (what === 'build') return build()
  return develop(what ? [what, ...args] : args)
}

async function draw(): Promise<number> {
  await (await import('../site/draw.ts')).draw(ROOT)
  return 0
}

async function build(): Promise<number> {
  const { buildSite } = await import('../site/build.ts')
  const { built, ms } = await buildSite(ROOT, { progress: console.log })
  console.log(built ? `built in ${(ms / 1000).toFixed(1)} s` : 'nothing has changed')
  return 0
}

async function polish(): Promise<number> {
  const { fullWidth } = await import('../site/japanese.ts')
  for (const file of globSync('site/i18n/ja/**/*.mdx', { cwd: ROOT })) {
    const path = join(ROOT, file)
    const text = readFileSync(path, 'utf8')
    const polished = fullWidth(text)
    if (polished === text) continue
    writeFileSync(path, polished)
    console.log(`polished ${file}`)
  }
  return 0
}

async function develop(args: string[]): Promise<number> {
  const script = createRequire(`${ROOT}/package.json`).resolve('@docusaurus/core/bin/docusaurus.mjs')
  const env = { ...process.env, NO_UPDATE_NOTIFIER: '1' }
  const child = spawn(process.execPath, [script, 'start', '--host', '127.0.0.1', '--no-open', ...args], {
    cwd: ROOT,
    env,
    stdio: 'inherit',
  })
  beforeEnd(() => child.kill('SIGTERM'))
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve(status ?? 0))
  })
}
