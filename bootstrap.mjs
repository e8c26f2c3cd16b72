/**
 * Makes a fresh machine ready and hands over to cli/main.ts: every npm script is `node bootstrap.mjs <command>`.
 * Plain JavaScript without dependencies, because it runs before anything is there, on Node 18 or later.
 */
import * as fs from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const SELF = fileURLToPath(import.meta.url)
const ROOT = dirname(SELF)
const RUNTIME = join(ROOT, '.runtime')
const LOCK = join(RUNTIME, 'bootstrap.lock')
const WINDOWS = process.platform === 'win32'
const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }

/** Older ones run no TypeScript, or warn at each start that they do. */
const OLDEST = [24, 3]

const args = process.argv.slice(2)

/** Something to tell the reader, with the one thing to do about it. */
class Failure extends Error {
  constructor(what, why, remedy) {
    super(what)
    Object.assign(this, { why, remedy })
  }
}

try {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) await handOver()
  else await runAgainWith(await findNode())
} catch (error) {
  const failure = error instanceof Failure ? error : explain(error)
  if (!failure) throw error
  const why = failure.why && `  ${failure.why.replaceAll('\n', '\n  ')}\n`
  process.stderr.write(`✗ ${failure.message}\n${why}→ ${failure.remedy}\n`)
  process.exit(3) // as for the grader's *unknown*: our side could not go on
}

// ── Handing over

async function handOver() {
  await watchParent()
  const { enableCompileCache } = await import('node:module')
  process.env.NODE_COMPILE_CACHE ??= join(RUNTIME, 'compile-cache') // for our children as well
  enableCompileCache(process.env.NODE_COMPILE_CACHE)
  const { packagesAreFresh, installPackages } = await import('./cli/packages.ts')
  if (!packagesAreFresh()) {
    await alone(packagesAreFresh, (own) =>
      installPackages(join(RUNTIME, 'install'), (folder, count) =>
        npmCi(folder, own, ['installing', 'installed'], { count }),
      ),
    )
  }
  const main = join(ROOT, 'cli', 'main.ts')
  process.argv = [process.execPath, main, ...args]
  // Outside of our `try`: what the command throws is not ours to explain.
  setImmediate(() => import(pathToFileURL(main).href))
}

/** Runs this very file with another Node, and stands in for it: signals, exit status. */
async function runAgainWith(node) {
  const { spawn } = await import('node:child_process')
  const { constants } = await import('node:os')
  process.env.PATH = [dirname(node), process.env.PATH, dirname(process.execPath)].join(delimiter)
  process.env.WORKBOOK_PARENT_FD = WINDOWS ? '' : '3'
  const stdio = ['inherit', 'inherit', 'inherit', WINDOWS ? 'ignore' : 'pipe']
  const child = spawn(node, [SELF, ...args], { stdio })
  // A terminal's Ctrl-C reaches the whole group by itself; without a terminal only us.
  const terminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY)
  for (const signal of Object.keys(SIGNALS)) {
    process.on(signal, () => (signal === 'SIGINT' && terminal) || child.kill(signal))
  }
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]))
  await new Promise((_, reject) => child.on('error', reject))
}

/** A parent that dies by SIGKILL leaves us behind: its end of a pipe tells, and we end as by SIGTERM. */
async function watchParent() {
  const fd = Number(process.env.WORKBOOK_PARENT_FD)
  delete process.env.WORKBOOK_PARENT_FD
  if (!fd) return
  const { Socket } = await import('node:net')
  const pipe = new Socket({ fd })
  pipe.on('error', () => {}).on('close', () => process.kill(process.pid, 'SIGTERM'))
  pipe.resume().unref()
}

// ── Node

/** `WORKBOOK_NODE`, else a Node of the clone's own in `.runtime/node`. */
async function findNode() {
  const platform = `${process.platform}-${WINDOWS ? 'x64' : process.arch}` // Windows on ARM runs x64 programs
  // What the `node` package chooses by an install script. For Apple silicon it has no 24 after 24.0.
  const pinned = catalogue().nodes[platform]
  const noNode = (why) =>
    new Failure(say('noNode', { own: process.version, platform }), why, say('installNode'))
  if (process.env.WORKBOOK_PARENT_FD !== undefined || !pinned) throw noNode('')
  if (process.env.WORKBOOK_NODE) return process.env.WORKBOOK_NODE
  const { name, version, integrity } = pinned
  const home = join(RUNTIME, 'node')
  const node = join(home, 'node_modules', name, 'bin', WINDOWS ? 'node.exe' : 'node')
  const isThere = () => read(join(home, 'ready')) === `${name}@${version}`
  if (!isThere()) await alone(isThere, install)
  return node

  async function install(own) {
    fs.rmSync(home, { recursive: true, force: true })
    fs.mkdirSync(home, { recursive: true })
    // A lock file of our own makes npm verify the integrity pinned above, whichever registry it asks.
    const dependencies = { [name]: version }
    const packages = { '': { dependencies }, [`node_modules/${name}`]: { version, integrity } }
    fs.writeFileSync(join(home, 'package.json'), JSON.stringify({ private: true, dependencies }))
    fs.writeFileSync(join(home, 'package-lock.json'), JSON.stringify({ lockfileVersion: 3, packages }))
    await npmCi(home, own, ['preparingNode', 'preparedNode'], { version, own: process.versions.node })
    const { spawnSync } = await import('node:child_process')
    const trial = spawnSync(node, ['--version'], { encoding: 'utf8' })
    if (trial.status !== 0) throw noNode(trial.error?.message ?? trial.stderr.trim())
    fs.writeFileSync(join(home, 'ready'), `${name}@${version}`)
  }
}

// ── npm

/** `npm ci`, quietly. Where the home folder's cache can't be written, with a cache in `.runtime`. */
async function npmCi(cwd, own, [doing, done], values) {
  const shown = progress(say(doing, values))
  let { status, output } = await runNpm(cwd, own, [])
  const path = /^npm (?:error|ERR!) path (.+)/m.exec(output)?.[1]
  if (status !== 0 && path && !path.startsWith(ROOT) && /code (EACCES|EPERM|EROFS|ENOENT)/.test(output)) {
    ;({ status, output } = await runNpm(cwd, own, ['--cache', join(RUNTIME, 'npm-cache')]))
  }
  shown.end(status === 0 ? say(done, { ...values, seconds: shown.seconds() }) : '')
  if (status !== 0) throw explain({ code: /^npm (?:error|ERR!) code (\S+)/m.exec(output)?.[1] ?? '', output })
}

async function runNpm(cwd, own, options) {
  const { spawn } = await import('node:child_process')
  // No package of ours needs its install script, and no setting of the reader's may leave packages out.
  const fixed =
    'ci --ignore-scripts --include=dev --include=optional --engine-strict=false --global=false --dry-run=false ' +
    '--no-audit --no-fund --no-update-notifier --no-progress --no-color --loglevel=error'
  const command = [npmCli(), ...fixed.split(' '), ...options]
  const env = npmEnvironment()
  const child = spawn(process.execPath, command, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  own(child.pid) // it outlives our death by SIGKILL, and the clone is not free until it ends
  const stop = (signal) => {
    child.kill(signal)
    child.on('exit', () => process.exit(SIGNALS[signal]))
  }
  for (const signal of Object.keys(SIGNALS)) process.on(signal, stop)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve(code ?? signal))
  })
  for (const signal of Object.keys(SIGNALS)) process.off(signal, stop)
  return { status, output }
}

/** npm's program, to be run by this Node: npm leaves out optional packages that don't fit the Node it runs on. */
function npmCli() {
  const outer = process.env.npm_execpath
  if (outer?.endsWith('npm-cli.js') && fs.existsSync(outer)) return outer
  const inNode = join('node_modules', 'npm', 'bin', 'npm-cli.js')
  for (const folder of [dirname(process.execPath), ...(process.env.PATH ?? '').split(delimiter)]) {
    const link = join(folder, 'npm')
    const linked = fs.existsSync(link) ? fs.realpathSync(link) : ''
    const files = [linked, join(folder, '..', 'lib', inNode), join(folder, inNode)]
    const cli = files.find((file) => file.endsWith('npm-cli.js') && fs.existsSync(file))
    if (cli) return cli
  }
  throw new Failure(say('noNpm'), '', say('installNode'))
}

/** Ours without what an outer `npm run` tells its script; how to reach the registry stays. */
function npmEnvironment() {
  const keep =
    /registry|proxy|auth|cafile|strict.ssl|config_(ca|cert|key|cache|userconfig|globalconfig)$|fetch|offline/i
  const env = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || keep.test(name))
  return { ...Object.fromEntries(env), NODE_ENV: '' } // `production` would leave out half
}

/** The error of npm or of the file system in words. */
function explain({ code = '', output = '', message = '' }) {
  const remedies = {
    offline:
      /^(ENOTFOUND|EAI_AGAIN|ECONN\w+|ETIMEDOUT|ENET\w+|EHOST\w+|\w+_TIMEOUT|EIDLETIMEOUT|ENOTCACHED)$/,
    diskFull: /^(ENOSPC|EDQUOT)$/,
    permission: /^(EACCES|EPERM|EROFS)$/,
    registry: /^E[45]\d\d$/,
  }
  const remedy = Object.keys(remedies).find((key) => remedies[key].test(code)) ?? (output && 'other')
  const lines = output.split('\n').filter((line) => line && !/\blog\b|_logs/.test(line))
  const why = lines.map((line) => line.replace(/^npm (error|ERR!) ?/, '')).slice(0, 4)
  return remedy ? new Failure(say('notReady'), why.join('\n') || message, say(remedy)) : undefined
}

// ── One at a time

/** Does the work while no other command of this clone does; `isDone` tells whether that other one did it. */
async function alone(isDone, work) {
  const mine = join(RUNTIME, `bootstrap.${process.pid}`)
  fs.mkdirSync(mine, { recursive: true })
  fs.writeFileSync(join(mine, 'owner'), `${identify(process.pid)} ${Date.now()}\n`)
  let waiting
  while (!take(mine)) {
    const [pid] = read(join(LOCK, 'owner')).split(' ')
    waiting ??= progress(say('waiting', { pid }))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  waiting?.end('')
  try {
    if (!isDone()) await work((pid) => fs.appendFileSync(join(LOCK, 'owner'), `${identify(pid)}\n`))
  } finally {
    fs.renameSync(LOCK, mine) // at once: removing takes two steps, and an empty folder can be renamed over
    fs.rmSync(mine, { recursive: true, force: true })
    // What those left that were killed while they waited or worked.
    for (const name of fs.readdirSync(RUNTIME).filter((one) => /^bootstrap\.(dead-|\d)/.test(one))) {
      const [owner = ''] = read(join(RUNTIME, name, 'owner')).split('\n')
      if (owner && !isAlive(owner)) fs.rmSync(join(RUNTIME, name), { recursive: true, force: true })
    }
  }
}

/** A folder with something in it can't be renamed over, so of two that try, one gets the lock. */
function take(mine) {
  const owners = read(join(LOCK, 'owner')).split('\n').slice(0, -1)
  if (owners.some((owner) => isAlive(owner))) return false
  try {
    // Put aside under the dead one's name: a third that also saw it dead, and is later, can't take our lock away.
    if (owners[0]) fs.renameSync(LOCK, join(RUNTIME, `bootstrap.dead-${owners[0].replaceAll(' ', '-')}`))
    fs.renameSync(mine, LOCK)
    return true
  } catch (error) {
    if (/^(ENOTEMPTY|EEXIST|ENOENT)$/.test(error.code) || (WINDOWS && error.code === 'EPERM')) return false
    throw error
  }
}

function isAlive(owner) {
  const pid = Number(owner.split(' ')[0])
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (error.code !== 'EPERM') return false
  }
  return `${owner} `.startsWith(`${identify(pid)} `)
}

/** A process by number and start time, where the system has /proc: numbers come back. A zombie is no process. */
function identify(pid) {
  const fields = read(`/proc/${pid}/stat`).split(') ').at(-1).split(' ')
  return `${pid} ${fields[0] === 'Z' ? 'zombie' : (fields[19] ?? '-')}`
}

// ── Words

/** One line that says what is being done, and for how long already. */
function progress(label) {
  const started = Date.now()
  const seconds = () => Math.round((Date.now() - started) / 1000)
  const rewrite = process.stderr.isTTY && process.env.TERM !== 'dumb'
  process.stderr.write(rewrite ? label : `${label}\n`)
  const timer = setInterval(() => {
    if (rewrite) process.stderr.write(`\r\x1b[2K${label} … ${seconds()} s`)
    else if (seconds() % 10 === 0) process.stderr.write(`${label} … ${seconds()} s\n`)
  }, 1000)
  const end = (text) => {
    clearInterval(timer)
    process.stderr.write(`${rewrite ? '\r\x1b[2K' : ''}${text}${text && '\n'}`)
  }
  return { seconds, end }
}

function say(key, values = {}) {
  const flag = args.findIndex((arg) => arg === '--lang' || arg.startsWith('--lang='))
  const asked = flag < 0 ? '' : (args[flag].split('=')[1] ?? args[flag + 1] ?? '')
  const { LC_ALL, LC_MESSAGES, LANG } = process.env
  const language = asked || LC_ALL || LC_MESSAGES || LANG || Intl.DateTimeFormat().resolvedOptions().locale
  const text = catalogue().texts[key][language.startsWith('ja') ? 'ja' : 'en']
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name])
}

/** Words and versions; a ready machine needs none of them. */
function catalogue() {
  return JSON.parse(read(join(ROOT, 'cli', 'bootstrap.json')))
}

function read(file) {
  try {
    return fs.readFileSync(file, 'utf8')
  } catch {
    return '' // not there yet
  }
}
