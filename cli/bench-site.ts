import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { ROOT, RUNTIME_DIR } from '#harness/paths'
import { makeStock, makeWorkbook } from '../site/bench/project.ts'
import { weigh, type Weight } from '../site/bench/weigh.ts'

/** What the site may take on two quiet cores, both languages, sixteen chapters. */
const LIMITS = { cold: 15, warm: 7, js: 180, css: 20 }
const PAGE = '/chapters/02-dual-servers'
const BUILDS = join(RUNTIME_DIR, 'bench-site')

interface Row {
  name: string
  cold: number
  warm: number
  weight: Weight
}

/** `npm run bench site`: builds sixteen chapters in two languages, cold and warm, and weighs a page, beside stock Docusaurus. */
export async function benchSite(args: string[]): Promise<number> {
  const json = args.includes('--json')
  const say = (line: string) => json || console.log(line)
  say('Building 16 chapters in 2 languages, four times; nothing else should run now.\n')
  const rows: Row[] = []
  try {
    for (const [name, make] of [
      ['workbook', makeWorkbook],
      ['stock Docusaurus', makeStock],
    ] as const) {
      const folder = join(BUILDS, name.split(' ')[0] ?? name)
      make(ROOT, folder)
      const cold = await build(folder)
      const warm = await build(folder)
      const row = { name, cold, warm, weight: await weigh(join(folder, 'build'), PAGE) }
      rows.push(row)
      say(line(row))
    }
  } finally {
    rmSync(BUILDS, { recursive: true, force: true })
  }
  say(
    `\nlimits              cold ${LIMITS.cold} s   warm ${LIMITS.warm} s   JS ${LIMITS.js} KB   CSS ${LIMITS.css} KB   (2 quiet cores)`,
  )
  if (json) console.log(JSON.stringify({ limits: LIMITS, rows }, null, 2))
  const [ours] = rows
  const kept =
    ours &&
    ours.cold <= LIMITS.cold &&
    ours.warm <= LIMITS.warm &&
    kb(ours.weight.js) <= LIMITS.js &&
    kb(ours.weight.css) <= LIMITS.css
  return kept ? 0 : 1
}

const kb = (bytes: number): number => Math.round(bytes / 102.4) / 10

function line({ name, cold, warm, weight }: Row): string {
  return `${name.padEnd(20)}cold ${cold.toFixed(1)} s   warm ${warm.toFixed(1)} s   page: JS ${kb(weight.js)} KB, CSS ${kb(weight.css)} KB, HTML ${kb(weight.html)} KB gzipped`
}

/** Seconds that a build of the folder takes. */
async function build(folder: string): Promise<number> {
  const script = createRequire(`${ROOT}/package.json`).resolve('@docusaurus/core/bin/docusaurus.mjs')
  const env = { ...process.env, NO_UPDATE_NOTIFIER: '1', SITE_CHAPTERS: '' }
  const begun = performance.now()
  const child = spawn(process.execPath, ['--preserve-symlinks', script, 'build'], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  child.stdout.on('data', (data: Buffer) => (said += data.toString()))
  child.stderr.on('data', (data: Buffer) => (said += data.toString()))
  const status = await new Promise((resolve) => child.once('close', resolve))
  if (status !== 0) throw new Error(`the build failed:\n${said.slice(-3_000)}`)
  return (performance.now() - begun) / 1000
}
