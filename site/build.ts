import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a page is made from. Anything else can change without a new build. */
const SOURCES = [
  'docusaurus.config.ts',
  'package-lock.json',
  'site/contents.json',
  'site/{chapters,i18n,plugins,src,static}/**/*',
  'labs/**/*',
  'solutions/**/*',
  'checks/*/mutants/**/*',
  'harness/*.ts',
]
/** File of the built site that says what it was made from. */
export const STAMP = '.built-from'

export interface BuildResult {
  built: boolean
  ms: number
}

interface BuildOptions {
  force?: boolean
  /** Told which language is being built. */
  progress?: (what: string) => void
}

const silent = () => undefined

/** Builds the site in both languages, with its search index, unless nothing that it is made from has changed. */
export async function buildSite(
  root: string,
  { force = false, progress = silent }: BuildOptions = {},
): Promise<BuildResult> {
  const started = performance.now()
  const folder = join(root, 'build')
  const stamp = fingerprint(root)
  const known = existsSync(join(folder, STAMP)) ? readFileSync(join(folder, STAMP), 'utf8') : ''
  if (!force && known === stamp) return { built: false, ms: performance.now() - started }
  const local = createRequire(`${root}/package.json`)
  // Built beside and then put in place: a server that runs meanwhile goes on with what it has.
  const next = join(root, '.runtime/site-next')
  await run(root, progress, local.resolve('@docusaurus/core/bin/docusaurus.mjs'), [
    'build',
    '--out-dir',
    next,
  ])
  await run(root, progress, pagefind(), [
    '--site',
    next,
    '--root-selector',
    'main',
    '--exclude-selectors',
    '.hash-link,.pagination-nav,nav,.theme-doc-toc-mobile',
    '--quiet',
  ])
  writeFileSync(join(next, STAMP), stamp)
  putInPlace(next, folder)
  return { built: true, ms: performance.now() - started }
}

function putInPlace(next: string, folder: string): void {
  const old = `${next}-old`
  rmSync(old, { recursive: true, force: true })
  if (existsSync(folder)) renameSync(folder, old)
  renameSync(next, folder)
  rmSync(old, { recursive: true, force: true })
}

function fingerprint(root: string): string {
  const hash = createHash('sha256').update(process.env.SITE_CHAPTERS ?? '')
  const files = SOURCES.flatMap((pattern) => globSync(pattern, { cwd: root, withFileTypes: true }))
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('node_modules'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
  for (const file of files) hash.update(file).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex')
}

const pagefind = (): string => join(dirname(fileURLToPath(import.meta.resolve('pagefind'))), 'runner/bin.cjs')

/** Runs a command of a package; its output is shown only when it fails. */
async function run(
  root: string,
  progress: (what: string) => void,
  script: string,
  args: string[],
): Promise<void> {
  const env = { ...process.env, NO_UPDATE_NOTIFIER: '1', NODE_ENV: 'production' }
  const child = spawn(process.execPath, [script, ...args], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  const keep = (data: Buffer) => {
    said += data.toString()
    const language = /\[(\w\w)\] Creating/.exec(data.toString())?.[1]
    if (language) progress(language === 'ja' ? '日本語…' : 'English…')
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (status !== 0) throw new Error(`the site could not be built:\n${said.trim()}`)
}
