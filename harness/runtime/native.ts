import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../ports.ts'
import { OWNER, OWNER_MARK, ownFolder, ownProcess } from '../process/owned.ts'
import { foldersIn, releaseSegments } from '../process/segments.ts'
import { freezeTree, killTree, thawTree } from '../process/signal.ts'
import { isAlive, processInfo } from '../process/table.ts'
import type { Text } from '../text.ts'
import { eventuallyTrue, Fatal } from '../wait.ts'
import { memoryFolder } from './memory.ts'
import { baseCopy } from './base-copy.ts'
import { postgresBinaries, redisBinary } from './binaries.ts'
import { baseFolder, copyFolder, giveAllAway, giveAway, makeStandby, removeFolder } from './data-folder.ts'
import { dataRoot, identity, unprivilegedUser } from './user.ts'
import { postgresAnswers, redisAnswers } from './ready.ts'
import {
  POSTGRES_SETTINGS,
  REDIS_SETTINGS,
  type PostgresOptions,
  type Runtime,
  type ServerNode,
} from './runtime.ts'

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
  const root = memoryFolder() ?? join(dataRoot().path, OWNER)
  ownFolder(root)
  await mkdir(root, { mode: 0o755 })
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
      if (follow)
        await makeStandby(dir, `host=127.0.0.1 port=${follow.port} user=postgres application_name=${name}`)
      const all = {
        ...POSTGRES_SETTINGS,
        ...settings,
        listen_addresses: '127.0.0.1',
        unix_socket_directories: '',
        // In the data folder, which is removed: of the system's own kind a killed server leaves some behind.
        dynamic_shared_memory_type: 'mmap',
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
      releaseSegments(foldersIn(root))
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
  /** Folders with the data that it had before it was reseeded. */
  readonly #aside: string[] = []

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
    if (this.#lives()) return
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

  async reseed(from: ServerNode, conninfo: string): Promise<void> {
    if (!(from instanceof NativeNode)) throw new Error(`${from.name} runs elsewhere`)
    await this.#starting?.catch(() => {}) // whoever started it was told
    if (this.#lives()) throw new Error(`${this.name} runs`)
    // Whoever starts it meanwhile waits for this, and finds it running.
    this.#starting = this.#reseed(from, conninfo).finally(() => (this.#starting = undefined))
    return this.#starting
  }

  async #reseed(from: NativeNode, conninfo: string): Promise<void> {
    const { dir } = this.#launch
    const fresh = `${dir}.fresh`
    await removeFolder(fresh)
    await baseCopy(from.port, from.#launch.dir, fresh)
    await makeStandby(fresh, conninfo)
    await giveAllAway(fresh)
    const aside = `${dir}.aside-${this.#aside.length + 1}`
    await rename(dir, aside)
    this.#aside.push(aside)
    await rename(fresh, dir)
    await this.#start()
  }

  async remove(): Promise<void> {
    await this.kill()
    const folders = [this.#launch.dir, ...this.#aside]
    releaseSegments(folders)
    for (const dir of folders) await removeFolder(dir)
  }

  #lives(): boolean {
    return this.#process?.pid !== undefined && isAlive(this.#process.pid, this.#started)
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
