import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { chown, cp, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { createHash } from 'node:crypto'
import { freePort } from '../ports.ts'
import { OWNER, OWNER_MARK, ownFolder, ownProcess } from '../process/owned.ts'
import { freezeTree, killTree, thawTree } from '../process/signal.ts'
import { isAlive, processInfo } from '../process/table.ts'
import type { Text } from '../text.ts'
import { eventuallyTrue, Fatal } from '../wait.ts'
import { postgresBinaries, redisBinary } from './binaries.ts'
import { dataRoot, identity, unprivilegedUser } from './user.ts'
import { postgresAnswers, redisAnswers } from './ready.ts'
import {
  POSTGRES_SETTINGS,
  REDIS_SETTINGS,
  type PostgresOptions,
  type Runtime,
  type ServerNode,
} from './runtime.ts'

const run = promisify(execFile)

/** For programs that run for a moment: what a killed command had begun must not go on behind the next one's back. */
const MARKED = { env: { ...process.env, ...OWNER_MARK } }

interface Launch {
  name: string
  dir: string
  port: number
  command: string
  args: string[]
  env?: Record<string, string>
  ready: () => Promise<boolean>
}

/** Servers from binaries on this machine. */
export async function nativeRuntime(why: Text, onProgress?: (text: Text) => void): Promise<Runtime> {
  const root = join(dataRoot().path, OWNER)
  ownFolder(root)
  await mkdir(root, { recursive: true, mode: 0o755 })
  const nodes = new Set<NativeNode>()
  let count = 0

  async function launch(options: Launch): Promise<ServerNode> {
    const node = new NativeNode(options)
    nodes.add(node)
    await node.start()
    return node
  }

  async function redis(name: string, settings: Record<string, string | number>): Promise<ServerNode> {
    const { server, env } = await redisBinary({ onProgress })
    const dir = join(root, `${name}-${++count}`)
    const port = await freePort()
    await mkdir(dir, { recursive: true })
    await giveAway(dir)
    const all = { ...REDIS_SETTINGS, ...settings, port, bind: '127.0.0.1', dir }
    const args = Object.entries(all).flatMap(([k, v]) => [`--${k}`, String(v)])
    return launch({
      name,
      dir,
      port,
      command: server,
      args,
      ...(env && { env }),
      ready: () => redisAnswers(port),
    })
  }

  return {
    kind: 'native',
    why,
    reach: { listen: ['127.0.0.1'], host: '127.0.0.1' },

    async postgres({ name, settings, follow, far = false }: PostgresOptions) {
      const { postgres } = await postgresBinaries()
      const dir = join(root, `${name}-${++count}`)
      const port = await freePort()
      await copyFolder(await baseFolder(far), dir)
      if (follow) await makeStandby(dir, name, follow.port)
      const all = {
        ...POSTGRES_SETTINGS,
        ...settings,
        listen_addresses: '127.0.0.1',
        unix_socket_directories: '',
      }
      return launch({
        name,
        dir,
        port,
        command: postgres,
        args: [
          '-D',
          dir,
          '-p',
          String(port),
          ...Object.entries(all).flatMap(([k, v]) => ['-c', `${k}=${v}`]),
        ],
        ready: () => postgresAnswers(port),
      })
    },

    redis: ({ name, settings }) => redis(name, { ...settings }),

    redisCluster: ({ name, nodes: count, settings, behindLinks }) =>
      Promise.all(
        Array.from({ length: count }, async (_, i) => {
          const bus = await freePort()
          const announced = behindLinks ? await freePort() : undefined
          const node = await redis(`${name}-${i + 1}`, {
            ...settings,
            'cluster-enabled': 'yes',
            'cluster-config-file': 'nodes.conf',
            'cluster-announce-ip': '127.0.0.1',
            'cluster-port': bus,
            'cluster-announce-bus-port': bus,
            ...(announced && { 'cluster-announce-port': announced }),
          })
          return Object.assign(node, { announced })
        }),
      ),

    async close() {
      await Promise.all([...nodes].map((node) => node.kill()))
      await removeFolder(root)
    },
  }
}

class NativeNode implements ServerNode {
  readonly host = '127.0.0.1'
  readonly name: string
  readonly port: number
  announced?: number
  readonly log: string
  readonly #launch: Launch
  #process: ChildProcess | undefined
  #started: string | undefined
  #starting: Promise<void> | undefined

  constructor(launch: Launch) {
    this.#launch = launch
    this.name = launch.name
    this.port = launch.port
    this.log = `${launch.dir}.log`
  }

  start(): Promise<void> {
    this.#starting ??= this.#start().finally(() => (this.#starting = undefined))
    return this.#starting
  }

  async #start(): Promise<void> {
    // Twice would be one too many: the second can't have the port, and the first would lose its lock file.
    if (this.#process?.pid && isAlive(this.#process.pid, this.#started)) return
    const { command, args, dir, env, ready } = this.#launch
    // A killed Postgres leaves its lock file behind; the pid in it may be somebody else's by now.
    await rm(join(dir, 'postmaster.pid'), { force: true })
    const log = await open(this.log, 'a')
    const child = spawn(command, args, {
      cwd: dir,
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
      env: { ...env, ...OWNER_MARK, LC_ALL: 'C.UTF-8', TZ: 'UTC' },
      ...identity(unprivilegedUser()),
    })
    let failed: Error | undefined
    child.once('error', (error) => (failed = error))
    if (child.pid) ownProcess(child.pid, this.name)
    this.#process = child
    this.#started = child.pid ? processInfo(child.pid)?.started : undefined
    await log.close()
    await eventuallyTrue(`${this.name} to accept connections`, async () => {
      if (failed) throw new Fatal(failed)
      if (child.exitCode !== null || child.signalCode) throw new Fatal(await this.#died(child))
      return ready()
    })
  }

  async kill(): Promise<void> {
    const pid = this.#process?.pid
    if (pid) await killTree(pid, { started: this.#started })
  }

  async freeze(): Promise<void> {
    await freezeTree(this.#pid(), { started: this.#started })
  }

  async thaw(): Promise<void> {
    await thawTree(this.#pid(), { started: this.#started })
  }

  async remove(): Promise<void> {
    await this.kill()
    await removeFolder(this.#launch.dir)
  }

  #pid(): number {
    if (!this.#process?.pid) throw new Error(`${this.name} is not running`)
    return this.#process.pid
  }

  async #died(child: ChildProcess): Promise<Error> {
    const tail = (await readFile(this.log, 'utf8')).split('\n').slice(-30).join('\n')
    return new Error(
      `${this.name} ended (${child.signalCode ?? `exit status ${child.exitCode}`}) before it was ready\n${tail}`,
    )
  }
}

const bases = new Map<boolean, Promise<string>>()

/** A data folder fresh from `initdb`, made once for this version and copied for every server. */
async function baseFolder(far: boolean): Promise<string> {
  const made = bases.get(far) ?? makeBaseFolder(far)
  bases.set(far, made)
  return made
}

async function makeBaseFolder(far: boolean): Promise<string> {
  const { initdb, postgres, version } = await postgresBinaries()
  const root = dataRoot().path
  const key = createHash('sha256')
    .update(`${version} ${far ? 'far 8' : 2}`)
    .digest('hex')
    .slice(0, 8)
  const final = join(root, `base-${version}-${key}${far ? '-far' : ''}`)
  if (await readFile(join(final, 'PG_VERSION'), 'utf8').catch(() => '')) return final
  const fresh = `${final}.${process.pid}`
  ownFolder(fresh)
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { recursive: true, mode: 0o700 })
  await giveAway(fresh)
  const options = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N', '-D', fresh]
  const as = { ...identity(unprivilegedUser()), cwd: dirname(fresh), ...MARKED }
  await run(initdb, far ? [...options, '--wal-segsize=1'] : options, as)
  if (far) await writeFourGigabytes(postgres, fresh, as)
  // Two first starts at once: the first rename wins, the other copy is thrown away.
  await rename(fresh, final).catch(() => rm(fresh, { recursive: true, force: true }))
  return final
}

/** 8 MB short of 4 GiB of WAL: these binaries have no `pg_resetwal`, so the way there is walked (about a second). */
const WALK =
  "DO $$ BEGIN FOR i IN 1..5000 LOOP EXIT WHEN pg_current_wal_lsn() >= '0/FF800000';" +
  " PERFORM pg_logical_emit_message(false, '', ''); PERFORM pg_switch_wal();" +
  " IF i % 16 = 0 THEN EXECUTE 'CHECKPOINT'; END IF; END LOOP; END $$"

async function writeFourGigabytes(postgres: string, dir: string, as: object): Promise<void> {
  const settings = { fsync: 'off', wal_init_zero: 'off', min_wal_size: '2MB', max_wal_size: '4MB' }
  const options = Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`])
  const walking = run(postgres, ['--single', '-D', dir, ...options, 'postgres'], as)
  walking.child.stdin?.end(`${WALK}\n`)
  await walking
}

async function makeStandby(dir: string, name: string, port: number): Promise<void> {
  const signal = join(dir, 'standby.signal')
  const auto = join(dir, 'postgresql.auto.conf')
  await writeFile(signal, '')
  await writeFile(
    auto,
    `primary_conninfo = 'host=127.0.0.1 port=${port} user=postgres application_name=${name}'\n`,
  )
  await Promise.all([giveAway(signal), giveAway(auto)])
}

/** A data folder has a thousand files: the system's own `rm` takes a tenth of the time and none of our thread's. */
async function removeFolder(dir: string): Promise<void> {
  if (process.platform === 'win32') await rm(dir, { recursive: true, force: true })
  else await run('rm', ['-rf', dir], MARKED)
}

/** Owner and modes stay; where the file system can share blocks it does. */
async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  if (process.platform === 'linux') await run('cp', ['-a', '--reflink=auto', from, to], MARKED)
  else await cp(from, to, { recursive: true, preserveTimestamps: true, mode: 2 })
}

async function giveAway(path: string): Promise<void> {
  const user = unprivilegedUser()
  if (user) await chown(path, user.uid, user.gid)
}
