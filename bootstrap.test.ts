import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'

// Each test has a scratch clone of its own: the real bootstrap, a lock file with one small package that comes from
// the folder beside it, and a command that says what it was given.
const ROOT = import.meta.dirname
const work = mkdtempSync(join(tmpdir(), 'bootstrap-'))
const archive = pack()
let clone: string
let count = 0

beforeEach(() => {
  clone = join(work, `clone-${++count}`)
  mkdirSync(join(clone, 'cli'), { recursive: true })
  for (const file of ['bootstrap.mjs', '.npmrc', 'cli/bootstrap.json', 'cli/packages.ts']) {
    cpSync(join(ROOT, file), join(clone, file))
  }
  lock('1.0.0')
  writeFileSync(join(clone, 'cli/main.ts'), COMMAND)
})
afterAll(() => rmSync(work, { recursive: true, force: true }))

const COMMAND = `
const [command, ...rest]: string[] = process.argv.slice(2)
if (command === 'exit') process.exit(Number(rest[0]))
else if (command === 'throw') throw new Error('from the command')
else if (command === 'die') process.kill(process.pid, 'SIGKILL')
else if (command === 'wait') {
  for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'] as const) {
    process.on(signal, () => { console.log(signal); process.exit(7) })
  }
  setInterval(() => {}, 1000)
  console.log('ready')
} else console.log(JSON.stringify({ argv: process.argv, node: process.execPath, at: performance.now() }))
`

/** What \`npm pack\` makes of a package with nothing in it. */
function pack(): string {
  const folder = join(work, 'small')
  mkdirSync(folder)
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'small', version: '1.0.0' }))
  const { stdout } = npm(['pack', '--json', '--pack-destination', work], folder)
  const [{ integrity }] = JSON.parse(stdout) as [{ integrity: string }]
  return integrity
}

/** A lock file of the clone; another `version` of its root makes it another file. */
function lock(version: string): void {
  const dependencies = { small: `file:${join(work, 'small-1.0.0.tgz')}` }
  const small = { version: '1.0.0', resolved: dependencies.small, integrity: archive }
  const root = { name: 'clone', version, dependencies }
  const packages = { '': root, 'node_modules/small': small }
  writeFileSync(join(clone, 'package.json'), JSON.stringify({ ...root, type: 'module' }))
  writeFileSync(
    join(clone, 'package-lock.json'),
    JSON.stringify({ ...root, lockfileVersion: 3, requires: true, packages }),
  )
}

/** An `npm` of this machine's, run as its user would. */
function npm(args: string[], cwd = clone, env: NodeJS.ProcessEnv = {}) {
  return spawnSync('npm', args, { cwd, encoding: 'utf8', env: { ...process.env, ...env } })
}

function bootstrap(args: string[], env: NodeJS.ProcessEnv = {}, node = process.execPath) {
  return spawnSync(node, ['bootstrap.mjs', ...args], options(env))
}

function options(env: NodeJS.ProcessEnv = {}) {
  return { cwd: clone, encoding: 'utf8' as const, env: { ...process.env, LC_ALL: 'C', ...env } }
}

/** Starts a command that waits; resolves with its next lines as they come. */
async function waiting(env: NodeJS.ProcessEnv = {}, node = process.execPath) {
  const child = spawn(node, ['bootstrap.mjs', 'wait'], {
    ...options(env),
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  expect((await lines.next()).value).toBe('ready')
  return { child, line: async () => (await lines.next()).value as string | undefined, exit: ended(child) }
}

function ended(child: ChildProcess): Promise<number | string | null> {
  return new Promise((resolve) => child.on('close', (code, signal) => resolve(code ?? signal)))
}

/** A Node on the PATH that is too old to run the workbook itself. */
const oldNode = (process.env.PATH ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'node'))
  .find(
    (node) =>
      existsSync(node) && Number(spawnSync(node, ['-p', 'process.versions.node.split(".")[0]']).stdout) < 24,
  )

const stamp = () => readFileSync(join(clone, 'node_modules/.workbook-stamp'), 'utf8')

describe('packages', { timeout: 60_000 }, () => {
  test('are installed once, said in one line, and the command gets its arguments', () => {
    const first = bootstrap(['lab', '06', '--seed', '3'])
    expect(first.stderr).toMatch(/^installing 1 packages\ninstalled 1 packages in \d+ s\n$/)
    const { argv } = JSON.parse(first.stdout) as { argv: string[] }
    expect(argv.slice(2)).toEqual(['lab', '06', '--seed', '3'])
    expect(argv[1]).toBe(join(clone, 'cli/main.ts'))
    expect(existsSync(join(clone, 'node_modules/small/package.json'))).toBe(true)
    expect(readdirSync(join(clone, '.runtime'))).not.toContain('install')
    const second = bootstrap(['lab'])
    expect(second.stderr).toBe('')
    expect((JSON.parse(second.stdout) as { at: number }).at).toBeLessThan(1000)
  })

  test('are installed again for another lock file', () => {
    bootstrap(['lab'])
    lock('1.0.1')
    // What is locked is what is there: only the stamp is new.
    expect(bootstrap(['lab']).stderr).toBe('')
    rmSync(join(clone, 'node_modules/.package-lock.json'))
    expect(bootstrap(['lab']).stderr).toContain('installed 1 packages')
  })

  test('that somebody’s npm ci installed are fresh', () => {
    expect(npm(['ci']).status).toBe(0)
    const { stderr, status } = bootstrap(['lab'])
    expect([stderr, status]).toEqual(['', 0])
    const before = stamp()
    utimesSync(join(clone, 'node_modules/.package-lock.json'), 1, 1)
    expect(bootstrap(['lab']).stderr).toBe('')
    expect(stamp()).not.toBe(before)
  })

  test('are whole whatever the outer npm was told', () => {
    const env = {
      npm_config_omit: 'prod',
      npm_config_dry_run: 'true',
      npm_config_global: 'true',
      NODE_ENV: 'production',
    }
    expect(bootstrap(['lab'], env).status).toBe(0)
    expect(existsSync(join(clone, 'node_modules/small'))).toBe(true)
  })

  test('without a network: one thing to do, in the reader’s language, status 3', () => {
    const text = readFileSync(join(clone, 'package-lock.json'), 'utf8')
    writeFileSync(
      join(clone, 'package-lock.json'),
      text.replaceAll(/file:[^"]+/g, '1.0.0').replace('"resolved":"1.0.0",', ''),
    )
    writeFileSync(
      join(clone, 'package.json'),
      readFileSync(join(clone, 'package.json'), 'utf8').replace(/file:[^"]+/, '1.0.0'),
    )
    const env = { npm_config_registry: 'http://127.0.0.1:9/', npm_config_cache: join(work, 'cache') }
    const { stderr, status } = bootstrap(['lab', '--lang', 'ja'], env)
    expect(status).toBe(3)
    expect(stderr).toContain('ECONNREFUSED')
    expect(stderr).toMatch(/→ ネットワークにつないで/)
    expect(stderr.split('\n').length).toBeLessThan(8)
  })
})

describe('one at a time', { timeout: 60_000 }, () => {
  test('of two that start together one installs', async () => {
    const both = [start(['lab']), start(['lab'])]
    expect(await Promise.all(both.map(({ exit }) => exit))).toEqual([0, 0])
    const said = both.map(({ said: text }) => text()).join('')
    expect(said.split('installed 1 packages')).toHaveLength(2)
    expect(readdirSync(join(clone, '.runtime/bootstrap'))).toEqual([])
  })

  test('a second waits for the first, and says so', async () => {
    const held = holdLock(`${process.pid} ${startTime(process.pid)} 1700000000000\n`)
    const { said, exit, child } = start(['lab'])
    await new Promise((resolve) => child.stderr.once('data', resolve))
    expect(said()).toBe(`another command (process ${process.pid}) is preparing this clone: waiting\n`)
    rmSync(held, { recursive: true })
    expect(await exit).toBe(0)
    expect(said()).toContain('installed 1 packages')
  })

  test('the lock of a dead command is taken over, its npm ended', async () => {
    const left = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    const gone = ended(left)
    const held = holdLock(`4194300 17 1700000000000\n${left.pid} ${startTime(left.pid!)}\n`)
    const { said, exit } = start(['lab'])
    expect(await exit).toBe(0)
    expect(said()).toMatch(/^installing/)
    expect(await gone).toBe('SIGKILL')
    expect(existsSync(held)).toBe(false)
  })
})

function start(args: string[]) {
  const child = spawn(process.execPath, ['bootstrap.mjs', ...args], options())
  let text = ''
  child.stderr.on('data', (part) => (text += String(part)))
  return { child, said: () => text, exit: ended(child) }
}

function holdLock(owner: string): string {
  const held = join(clone, '.runtime/bootstrap/lock')
  mkdirSync(held, { recursive: true })
  writeFileSync(join(held, 'owner'), owner)
  return held
}

function startTime(pid: number): string {
  if (!existsSync('/proc')) return '-'
  return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[19]!
}

// In this process, and with another Node than the one that was typed.
describe.each([
  ['this Node', {}, process.execPath],
  ['another Node', { WORKBOOK_NODE: process.execPath }, oldNode],
] as const)('the command, by %s', { timeout: 60_000 }, (_, env, node) => {
  test.skipIf(!node)('passes its exit status, its error, its death on', () => {
    expect(bootstrap(['exit', '2'], env, node).status).toBe(2)
    expect(bootstrap(['exit', '0'], env, node).status).toBe(0)
    const thrown = bootstrap(['throw'], env, node)
    expect(thrown.status).toBe(1)
    expect(thrown.stderr).toContain('Error: from the command')
    const dead = bootstrap(['die'], env, node)
    expect(dead.status ?? dead.signal).toBe(node === process.execPath ? 'SIGKILL' : 137)
  })

  test.skipIf(!node).each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('gets %s', async (signal) => {
    const { child, line, exit } = await waiting(env, node)
    child.kill(signal)
    expect(await line()).toBe(signal)
    expect(await exit).toBe(7)
  })

  // This Node runs the command in its own process: there is nobody between the two.
  if (node === process.execPath) return
  test.skipIf(!node)('ends when what started it is killed', async () => {
    const { child, line, exit } = await waiting(env, node)
    child.kill('SIGKILL')
    expect(await exit).toBe('SIGKILL')
    expect(await line()).toBe('SIGTERM')
  })
})

describe('Node', () => {
  test.skipIf(!oldNode)('too old: the clone gets one of its own, and keeps it', { timeout: 120_000 }, () => {
    const env = { PATH: `${dirname(oldNode!)}${delimiter}${process.env.PATH}` }
    const first = bootstrap(['lab'], env, oldNode)
    expect(first.stderr).toMatch(/^preparing Node 2\d\.\d+\.\d+ \(this one is /)
    const { node } = JSON.parse(first.stdout) as { node: string }
    expect(node.startsWith(join(clone, '.runtime/node/'))).toBe(true)
    expect(bootstrap(['lab'], env, oldNode).stderr).toBe('')
  })

  test.skipIf(!oldNode)('too old, and so is the one that was named: no loop', () => {
    const { stderr, status } = bootstrap(['lab'], { WORKBOOK_NODE: oldNode }, oldNode)
    expect(status).toBe(3)
    expect(stderr).toContain('→ Install Node 24')
  })
})
