/**
 * Makes a fresh machine ready and hands over to cli/main.ts: every npm script is `node bootstrap.mjs <command>`.
 * Plain JavaScript without dependencies, because it runs before anything is there, on Node 18 or later.
 */
import { spawn, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import module from 'node:module'
import { constants } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const SELF = fileURLToPath(import.meta.url)
const ROOT = dirname(SELF)
const RUNTIME = join(ROOT, '.runtime')
const LOCK = join(RUNTIME, 'bootstrap', 'lock')
const WINDOWS = process.platform === 'win32'
const SIGNALS = ['SIGHUP', 'SIGINT', 'SIGTERM']

/** Older ones run no TypeScript, or warn at each start that they do. */
const OLDEST = [24, 3]

const args = process.argv.slice(2)

/** Something to tell the reader, with the one thing to do about it. */
class Failure extends Error {
  constructor(what, why, remedy, code) {
    super(what)
    Object.assign(this, { why, remedy, code })
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

async function handOver() {
  await watchParent()
  process.env.NODE_COMPILE_CACHE ??= join(RUNTIME, 'compile-cache') // for our children as well
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE)
  const { packagesAreFresh, installPackages } = await import('./cli/packages.ts')
  if (!packagesAreFresh()) {
    await alone(packagesAreFresh, (own) =>
      installPackages(join(RUNTIME, 'install'), (folder, count, reached) =>
        npmCi(folder, own, ['installing', 'installed'], { count }, reached),
      ),
    )
  }
  const main = join(ROOT, 'cli', 'main.ts')
  process.argv = [process.execPath, main, ...args]
  // Outside of our `try`: what the command throws is not ours to explain.
  setImmediate(() => void import(pathToFileURL(main).href))
}

/** Runs this very file with another Node, and stands in for it: signals, exit status. */
async function runAgainWith(node) {
  process.env.PATH = [dirname(node), process.env.PATH, dirname(process.execPath)].join(delimiter)
  process.env.WORKBOOK_PARENT_FD = WINDOWS ? '' : '3'
  const stdio = ['inherit', 'inherit', 'inherit', WINDOWS ? 'ignore' : 'pipe']
  const child = spawn(node, [SELF, ...args], { stdio })
  // A terminal's Ctrl-C reaches the whole group by itself; without a terminal only us.
  const terminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY)
  for (const signal of SIGNALS) {
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

/** `WORKBOOK_NODE`, else a Node of the clone's own in `.runtime/node`. */
async function findNode() {
  const platform = `${process.platform}-${WINDOWS ? 'x64' : process.arch}` // Windows on ARM runs x64 programs
  // What the `node` package chooses by an install script. For Apple silicon it has no 24 after 24.0.
  const pinned = catalogue().nodes[platform]
  const what = say('noNode', { own: process.version, platform })
  const noNode = (why) => new Failure(what, why, say('installNode'))
  if ('WORKBOOK_PARENT_FD' in process.env || !pinned) throw noNode('')
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
    const trial = spawnSync(node, ['--version'], { encoding: 'utf8' })
    if (trial.status !== 0) throw noNode(trial.error?.message ?? trial.stderr.trim())
    fs.writeFileSync(join(home, 'ready'), `${name}@${version}`)
  }
}

/**
 * `npm ci`, quietly. Where the home folder's cache can't be written, with a cache in `.runtime`. `reached` is told the
 * registry that answers, before anything is fetched.
 */
async function npmCi(cwd, own, [doing, done], values, reached = () => {}) {
  const disk = fs.statfsSync?.(cwd) // since Node 18.15
  if (disk && disk.bavail * disk.bsize < 1e9) throw explain({ code: 'ENOSPC' })
  const shown = progress(say(doing, values))
  // No package of ours needs its install script, and no setting of the reader's may leave packages out.
  const ci = ['ci', '--ignore-scripts', '--include=dev', '--include=optional', '--engine-strict=false']
  // Without a network npm would try each package for minutes. Its cache may still have them all.
  const ping = await npm(cwd, own, ['ping', '--json', '--fetch-retries=0', '--fetch-timeout=10000'])
  const offline = /^(offline|certificate)$/.test(remedyFor(ping.code))
  if (offline) ci.push('--offline')
  const registry = /"registry": "(.+)"/.exec(ping.output)?.[1]
  if (registry) reached(registry)
  let result = await npm(cwd, own, ci)
  const path = /^npm (?:error|ERR!) path (.+)/m.exec(result.output)?.[1]
  if (/^(EACCES|EPERM|EROFS|ENOENT)$/.test(result.code) && path && !path.startsWith(ROOT)) {
    result = await npm(cwd, own, [...ci, '--cache', join(RUNTIME, 'npm-cache')])
  }
  shown.end(result.code ? '' : say(done, { ...values, seconds: shown.seconds() }))
  if (result.code) throw explain(offline ? ping : result)
}

/** Runs npm; `code` is empty where it went well. */
async function npm(cwd, own, options) {
  const quiet = '--no-audit --no-fund --no-update-notifier --no-progress --no-color --loglevel=error'
  const command = [npmCli(), ...options, ...quiet.split(' ')]
  const env = npmEnvironment()
  const child = spawn(process.execPath, command, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  own(child.pid) // it outlives our death by SIGKILL: the next command ends it
  const stop = (signal) => {
    child.kill('SIGKILL') // by itself it would first put back what we throw away
    child.on('exit', () => process.exit(128 + constants.signals[signal]))
  }
  for (const signal of SIGNALS) process.on(signal, stop)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text))
  const status = await new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (exit, signal) => resolve(exit ?? signal))
  })
  for (const signal of SIGNALS) process.off(signal, stop)
  const named = /^npm (?:error|ERR!) code (\S+)/m.exec(output)?.[1]
  return { code: status === 0 ? '' : (named ?? `${status}`), output }
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
  const keep = /registry|proxy|auth|cafile|ssl|fetch|offline|_(ca|cert|key|cache|userconfig|globalconfig)$/i
  const env = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name) || keep.test(name))
  return { ...Object.fromEntries(env), NODE_ENV: '' } // `production` would leave out half
}

/** The error of npm or of the file system in words. */
function explain({ code, output = '', message = '' }) {
  const remedy = remedyFor(code)
  if (!remedy || (remedy === 'other' && !output)) return undefined
  const lines = output.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, ''))
  const noise = /^((code|errno|syscall|path|dest|\d+$) ?|A complete log|Log files|You can rerun|[\s{}])/
  const why = lines.filter((line) => line && !noise.test(line)).slice(0, 3)
  return new Failure(say('notReady'), why.join('\n') || message, say(remedy), code)
}

function remedyFor(code) {
  const { remedies } = catalogue()
  return code && Object.keys(remedies).find((key) => new RegExp(remedies[key].codes).test(code))
}

/** Does the work while no other command of this clone does; `isDone` tells whether that other one did it. */
async function alone(isDone, work) {
  const mine = join(RUNTIME, 'bootstrap', `${process.pid}`)
  fs.mkdirSync(mine, { recursive: true })
  fs.writeFileSync(join(mine, 'owner'), `${identify(process.pid)} ${Date.now()}\n`)
  let waiting
  while (!take(mine)) {
    const [owner] = owners()
    if (owner && isAlive(owner)) waiting ??= progress(say('waiting', { pid: owner.split(' ')[0] }))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  waiting?.end('')
  try {
    if (!isDone()) await work((pid) => fs.appendFileSync(join(LOCK, 'owner'), `${identify(pid)}\n`))
  } finally {
    fs.renameSync(LOCK, mine) // at once: removing takes two steps, and an empty folder can be renamed over
    fs.rmSync(mine, { recursive: true, force: true })
  }
}

/** A folder with something in it can't be renamed over, so of two that try, one gets the lock. */
function take(mine) {
  const [owner, ...npms] = owners()
  if (owner && isAlive(owner)) return false
  const left = npms.filter((one) => isAlive(one))
  try {
    for (const one of left) process.kill(Number(one.split(' ')[0]), 'SIGKILL')
    if (left.length) return false
    // Put aside under the dead one's name: a third that also saw it dead, and is later, can't take our lock away.
    if (owner) fs.renameSync(LOCK, `${LOCK}-${owner.replaceAll(' ', '-')}`)
    fs.renameSync(mine, LOCK)
    return true
  } catch (error) {
    const taken = WINDOWS ? /^(EEXIST|ENOENT|ESRCH|EPERM)$/ : /^(ENOTEMPTY|EEXIST|ENOENT|ESRCH)$/
    if (taken.test(error.code)) return false
    throw error
  }
}

/** Who holds the lock: a command, then the npms it ran. */
function owners() {
  return read(join(LOCK, 'owner')).split('\n').slice(0, -1)
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
  const { texts, remedies } = catalogue()
  const text = { ...texts, ...remedies }[key][language.startsWith('ja') ? 'ja' : 'en']
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name])
}

/** Words, and versions of Node; a ready machine needs neither. */
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
