import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { lab } from '../context.ts'
import { RUNTIME_DIR } from '../paths.ts'
import { OWNER_MARK, ownProcess } from '../process/owned.ts'
import { freezeTree, killTree, send, thawTree } from '../process/signal.ts'
import { familyOf, processInfo, residentBytes, type Family } from '../process/table.ts'
import { now } from '../timeline.ts'
import type { Machine } from './machine.ts'
import { Output } from './output.ts'
import { STRIPPED } from './stripped.ts'

/** Longest wait for a dead process's last words: a child that lives on keeps its pipes open. */
const LAST_WORDS_MS = 300

/** A service of this workbook needs 60 MB; one that takes a gigabyte would take the learner's machine down. */
const MOST_MEMORY = 1024 ** 3
/** Reading it keeps our own thread busy. */
const MOST_OUTPUT = 512 * 1024 ** 2
const WATCH_MS = 250

const NODE_FLAGS = [
  '--disable-warning=ExperimentalWarning',
  '--max-old-space-size=512',
  '--import',
  new URL('standby.mjs', import.meta.url).href,
]

/** How a role ended. */
export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
  at: number
  /** The harness ended it because it took more than {@link MOST_MEMORY}. */
  memory?: boolean
  /** The harness ended it because it wrote more than {@link MOST_OUTPUT}. */
  flood?: boolean
  /** It never ran: this command does not exist, or `'folder'` where its folder is gone. */
  missing?: string
}

export interface Launch {
  /** `SERVER_NAME`, and name of the log file. */
  name: string
  role: string
  machine: Machine
  env: Record<string, string>
  args?: readonly string[]
}

/** Starts the process of a role on its machine. */
export function spawnRole(launch: Launch): ChildProcess {
  const { name, role, machine, args = [] } = launch
  return spawnOwned(name, [...commandOf(role), ...args], {
    cwd: machine.dir,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environmentOf(launch),
  })
}

/** Starts a process that ends with this command at the latest. */
export function spawnOwned(
  what: string,
  [command, ...args]: readonly string[],
  options: SpawnOptions,
): ChildProcess {
  // A group of its own: it can be ended with all that it started, and Ctrl-C in the terminal is ours to handle.
  const child = spawn(command!, args, { ...options, detached: true })
  if (child.pid) ownProcess(child.pid, what)
  return child
}

/** One run of a role's operating-system process. */
export class RoleProcess {
  readonly pid: number
  readonly output: Output
  readonly exited: Promise<Exit>
  exit: Exit | undefined
  /** Resolves soon after its end, when all that it wrote has been read. */
  readonly said: Promise<void>
  readonly #machine: Machine
  readonly #watch: NodeJS.Timeout
  readonly #started: string | undefined
  #ended: Pick<Exit, 'memory' | 'flood'> = {}

  constructor(launch: Launch, output: Output, child: ChildProcess) {
    const [command] = commandOf(launch.role)
    this.output = output
    this.#machine = launch.machine
    this.pid = child.pid ?? -1
    this.#started = processInfo(this.pid)?.started
    output.follow(child.stdout!)
    output.follow(child.stderr!)
    this.exited = this.#whenExited(child, command!)
    this.said = this.#whenSaid(child)
    this.#watch = setInterval(() => this.#checkAppetite(), WATCH_MS)
    this.#watch.unref()
  }

  /** Ends it and everything that it started; resolves when nothing of it is left. */
  async kill(): Promise<Exit> {
    await killTree(this.pid, this.#family)
    return this.exited
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.exit) send(this.pid, signal)
  }

  /** SIGSTOP to all of them. */
  freeze(): Promise<void> {
    return freezeTree(this.pid, this.#family)
  }

  thaw(): Promise<void> {
    return thawTree(this.pid, this.#family)
  }

  /** The process, its children, and what broke away from it. */
  tree(): number[] {
    return familyOf({ root: this.pid, ...this.#family })
      .filter((p) => p.state !== 'Z')
      .map((p) => p.pid)
  }

  get #family(): Omit<Family, 'root'> {
    return { started: this.#started, mark: this.#machine.mark, home: this.#machine.dir }
  }

  #whenExited(child: ChildProcess, command: string): Promise<Exit> {
    return new Promise((resolve) => {
      const done = (exit: Omit<Exit, 'at'>): void => {
        clearInterval(this.#watch)
        this.exit ??= { ...exit, at: now(), ...this.#ended }
        resolve(this.exit)
      }
      child.once('exit', (code, signal) => done({ code, signal }))
      child.once('error', () =>
        done({
          code: 127,
          signal: null,
          missing: existsSync(this.#machine.dir) ? command : 'folder',
        }),
      )
    })
  }

  async #whenSaid(child: ChildProcess): Promise<void> {
    const closed = once(child, 'close').catch(() => {}) // its command does not exist
    await this.exited
    await Promise.race([closed, pause(LAST_WORDS_MS)])
  }

  #checkAppetite(): void {
    if (residentBytes(this.pid) > MOST_MEMORY) this.#ended = { memory: true }
    else if (this.output.total > MOST_OUTPUT) this.#ended = { flood: true }
    else return
    this.signal('SIGKILL')
  }
}

function asVariable(mark: string): Record<string, string> {
  const [name = '', value = ''] = mark.split('=')
  return { [name]: value }
}

/** `lab.json` may name another command, so that a lab can be solved in any language. */
function commandOf(role: string): string[] {
  return lab().commands[role] ?? nodeCommand(mainModule(role))
}

/** Node with a main module, as every role in TypeScript runs. */
export function nodeCommand(main: string): string[] {
  return [process.execPath, ...NODE_FLAGS, main]
}

/** Of a role in TypeScript, on its machine. */
export function mainModule(role: string): string {
  return `src/${role}.ts`
}

/** All of a role's environment. */
export function environmentOf({ machine, env }: Launch): NodeJS.ProcessEnv {
  return { ...basicEnvironment(), TMPDIR: machine.tmp, ...env, ...asVariable(machine.mark) }
}

/** Settings come by the environment, so nothing of the reader's own may leak in: `PGHOST` would do harm. */
export function basicEnvironment(): NodeJS.ProcessEnv {
  const { PATH = '', HOME = '', LANG = 'C.UTF-8' } = process.env
  return {
    PATH,
    HOME,
    LANG,
    NODE_COMPILE_CACHE: join(RUNTIME_DIR, 'compile-cache', 'roles'),
    NODE_ENV: 'production',
    WORKBOOK_STRIPPED: STRIPPED,
    ...OWNER_MARK,
  }
}
