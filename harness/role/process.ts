import { spawn, type ChildProcess } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { lab } from '../context.ts'
import { RUNTIME_DIR } from '../paths.ts'
import { OWNER_MARK, ownProcess } from '../process/owned.ts'
import { killTree, send } from '../process/signal.ts'
import { processInfo, processTree, residentBytes } from '../process/table.ts'
import { now } from '../timeline.ts'
import type { Machine } from './machine.ts'
import { Output } from './output.ts'

/** A service of this workbook needs 60 MB; one that takes a gigabyte would take the learner's machine down. */
const MOST_MEMORY = 1024 ** 3
const WATCH_MS = 250

const NODE_FLAGS = [
  '--disable-warning=ExperimentalWarning',
  '--max-old-space-size=512',
  '--import',
  new URL('keep-compiled.mjs', import.meta.url).href,
]

/** How a role ended. */
export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
  at: number
  /** The harness ended it because it took more than {@link MOST_MEMORY}. */
  memory?: boolean
}

export interface Launch {
  /** `SERVER_NAME`, and name of the log file. */
  name: string
  role: string
  machine: Machine
  env: Record<string, string>
  args?: readonly string[]
}

/** One run of a role's operating-system process. */
export class RoleProcess {
  readonly pid: number
  readonly output: Output
  readonly exited: Promise<Exit>
  exit: Exit | undefined
  readonly #mark = `WORKBOOK_ROLE=${randomUUID()}`
  readonly #watch: NodeJS.Timeout
  readonly #started: string | undefined
  #memory = false

  constructor({ name, role, machine, env, args = [] }: Launch, output: Output) {
    this.output = output
    const [command, ...rest] = commandOf(role)
    const child = spawn(command!, [...rest, ...args], {
      cwd: machine.dir,
      // A group of its own: it can be ended with all that it started, and Ctrl-C in the terminal is ours to handle.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...basicEnvironment(machine),
        ...env,
        ...OWNER_MARK,
        [this.#mark.split('=')[0]!]: this.#mark.split('=')[1]!,
      },
    })
    this.pid = child.pid ?? -1
    if (child.pid) ownProcess(child.pid, name)
    this.#started = processInfo(this.pid)?.started
    output.follow(child.stdout!)
    output.follow(child.stderr!)
    this.exited = this.#whenExited(child)
    this.#watch = setInterval(() => this.#checkMemory(), WATCH_MS)
    this.#watch.unref()
  }

  /** Ends it and everything that it started; resolves when nothing of it is left. */
  async kill(): Promise<Exit> {
    if (this.pid < 0) return this.exited
    await killTree(this.pid, { mark: this.#mark, started: this.#started })
    return this.exited
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.exit) send(this.pid, signal)
  }

  /** The process, its children, and what broke away from it. */
  tree(): number[] {
    return processTree(this.pid, this.#mark)
      .filter((p) => p.state !== 'Z')
      .map((p) => p.pid)
  }

  #whenExited(child: ChildProcess): Promise<Exit> {
    return new Promise((resolve) => {
      const done = (code: number | null, signal: NodeJS.Signals | null): void => {
        clearInterval(this.#watch)
        this.exit ??= { code, signal, at: now(), ...(this.#memory && { memory: true }) }
        resolve(this.exit)
      }
      child.once('exit', done)
      child.once('error', () => done(127, null)) // the command does not exist
    })
  }

  #checkMemory(): void {
    if (residentBytes(this.pid) < MOST_MEMORY) return
    this.#memory = true
    this.signal('SIGKILL')
  }
}

/** `lab.json` may name another command, so that a lab can be solved in any language. */
function commandOf(role: string): string[] {
  const own = lab().commands[role]
  if (own) return own
  return [process.execPath, ...NODE_FLAGS, `src/${role}.ts`]
}

/** Settings come by the environment, so nothing of the reader's own may leak in: `PGHOST` would do harm. */
function basicEnvironment(machine: Machine): Record<string, string> {
  const { PATH = '', HOME = '', LANG = 'C.UTF-8' } = process.env
  return {
    PATH,
    HOME,
    LANG,
    TMPDIR: machine.tmp,
    NODE_COMPILE_CACHE: join(RUNTIME_DIR, 'compile-cache', 'roles'),
    NODE_ENV: 'production',
  }
}
