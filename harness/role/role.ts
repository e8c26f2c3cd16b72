import { join } from 'node:path'
import { lab } from '../context.ts'
import { StepFailure } from '../failure.ts'
import { http, type Answer, type RequestOptions } from '../http.ts'
import { freePort } from '../ports.ts'
import { freezeTree, thawTree } from '../process/signal.ts'
import { atEnd, scopeSignal } from '../scope.ts'
import { say, same, type Text } from '../text.ts'
import { note, now } from '../timeline.ts'
import { eventuallyTrue, Fatal, WaitTimeout } from '../wait.ts'
import { listeningPorts } from './listening.ts'
import { makeMachine, type Machine } from './machine.ts'
import { Output } from './output.ts'
import { RoleProcess, type Exit } from './process.ts'
import { healthy } from './health.ts'

/** Longest time from a role's start to its first `GET /health` → 200. */
const READY_WITHIN = 8000

export interface RoleOptions {
  /** `SERVER_NAME`, and the name in the timeline. Default: the role's own name. */
  name?: string
  env?: Record<string, string | number | undefined>
  /** Default: a free one. */
  port?: number
  /** False: don't wait for `/health`. Default true. */
  ready?: boolean
  /** Longest wait for `/health` in milliseconds. */
  within?: number
  /** False: prepare the machine only; `start()` is the test's. Default true. */
  start?: boolean
}

type Send = Omit<RequestOptions, 'method' | 'body' | 'to'>

/** Roles that the running test, or file, has started: for their logs, and to notice one that died. */
const started = new Set<StartedRole>()

export function startedRoles(): StartedRole[] {
  return [...started]
}

/** Starts an instance of a role on a machine of its own and waits until it is healthy. It ends with the test. */
export async function startRole(role: string, options: RoleOptions = {}): Promise<StartedRole> {
  const name = options.name ?? role
  const machine = await makeMachine(name)
  const instance = new StartedRole(role, name, machine, options, options.port ?? (await freePort()))
  started.add(instance)
  atEnd(async () => {
    started.delete(instance)
    await instance.kill()
    machine.leave()
  })
  if (options.start !== false) await instance.start()
  return instance
}

/** A running instance of a role: a process on a machine of its own. */
export class StartedRole {
  readonly role: string
  readonly name: string
  readonly port: number
  readonly url: string
  readonly machine: Machine
  /** When it was last seen healthy after a start, epoch milliseconds. */
  readyAt = 0
  #options: RoleOptions
  #process: RoleProcess | undefined
  #output: Output
  #expectedEnd = false

  constructor(role: string, name: string, machine: Machine, options: RoleOptions, port: number) {
    this.role = role
    this.name = name
    this.machine = machine
    this.port = port
    this.url = `http://127.0.0.1:${port}`
    this.#options = options
    this.#output = new Output(join(lab().runDir, `${name}.log`))
  }

  /** Starts the process again on the same port and machine: after a kill, a stop, or its own end. */
  async start(env: RoleOptions['env'] = {}): Promise<void> {
    this.#options = { ...this.#options, env: { ...this.#options.env, ...env } }
    this.#expectedEnd = false
    note({ from: 'test', to: this.name, kind: 'role', text: `start ${this.role}` })
    const settings = { PORT: this.port, SERVER_NAME: this.name, ...this.#options.env }
    this.#process = new RoleProcess(
      { name: this.name, role: this.role, machine: this.machine, env: stringify(settings) },
      this.#output,
    )
    if (this.#options.ready !== false) await this.ready()
  }

  /** Waits for `GET /health` → 200. @throws a finding *error* when it ends first or never answers */
  async ready(within = this.#options.within ?? READY_WITHIN): Promise<void> {
    const running = this.#running()
    try {
      await eventuallyTrue(
        `${this.name} to answer GET /health with 200`,
        () => {
          if (running.exit) throw new Fatal(new StepFailure(this.#endedTooSoon(running.exit)))
          return healthy(this.port)
        },
        { within, signal: scopeSignal() },
      )
      this.readyAt = now()
    } catch (error) {
      if (error instanceof WaitTimeout)
        throw new StepFailure(await this.#neverReady(within), { cause: error })
      throw error
    }
  }

  /** SIGKILL to the process and all that it started. */
  async kill(): Promise<void> {
    if (this.#process && !this.#process.exit) this.#signal('SIGKILL')
    this.#expectedEnd = true
    await this.#process?.kill()
  }

  /** Kill and start in one. */
  async restart(env?: RoleOptions['env']): Promise<void> {
    await this.kill()
    await this.start(env)
  }

  /** SIGTERM; how it ended and how long that took. @throws WaitTimeout when it lives on after `within` */
  async stop({ within = 10_000 } = {}): Promise<Exit & { ms: number }> {
    const begun = performance.now()
    this.terminate()
    const exit = await eventuallyTrue(`${this.name} to exit after SIGTERM`, () => this.#running().exit, {
      within,
    })
    return { ...exit, ms: performance.now() - begun }
  }

  /** SIGTERM without waiting. */
  terminate(): void {
    this.#expectedEnd = true
    this.#signal('SIGTERM')
    this.#running().signal('SIGTERM')
  }

  /** SIGSTOP to it and all its children: its connections stay open, nothing answers. Ends with the test. */
  async freeze(): Promise<void> {
    this.#signal('SIGSTOP')
    await freezeTree(this.#running().pid)
  }

  async thaw(): Promise<void> {
    this.#signal('SIGCONT')
    await thawTree(this.#running().pid)
  }

  /** Resolves when the process has ended by itself or by a signal. */
  get exited(): Promise<Exit> {
    return this.#running().exited
  }

  get exit(): Exit | undefined {
    return this.#process?.exit
  }

  /** It ended, and the test did not ask for that. */
  get diedByItself(): Exit | undefined {
    return this.#expectedEnd ? undefined : this.#process?.exit
  }

  get pid(): number {
    return this.#running().pid
  }

  /** Living processes of this instance. */
  pids(): number[] {
    return this.#process?.tree() ?? []
  }

  /** The lines that it wrote, over all its starts. */
  get lines(): readonly string[] {
    return this.#output.lines
  }

  tail(count = 30): string[] {
    return this.#output.tail(count)
  }

  request(path: string, options: RequestOptions = {}): Promise<Answer> {
    return http(this.url + path, { to: this.name, ...options })
  }

  get(path: string, options: Send = {}): Promise<Answer> {
    return this.request(path, options)
  }

  put(path: string, body?: unknown, options: Send = {}): Promise<Answer> {
    return this.request(path, { ...options, method: 'PUT', body })
  }

  post(path: string, body?: unknown, options: Send = {}): Promise<Answer> {
    return this.request(path, { ...options, method: 'POST', body })
  }

  delete(path: string, options: Send = {}): Promise<Answer> {
    return this.request(path, { ...options, method: 'DELETE' })
  }

  #signal(signal: string): void {
    note({ from: 'test', to: this.name, kind: 'signal', text: signal })
  }

  #running(): RoleProcess {
    if (!this.#process) throw new Error(`${this.name} was never started`)
    return this.#process
  }

  #endedTooSoon(exit: Exit) {
    return this.#startFailure(
      say(`the process ended (${describeExit(exit).en})`, `プロセスが終了した(${describeExit(exit).ja})`),
    )
  }

  async #neverReady(within: number) {
    const others = listeningPorts(this.#running().tree()).filter((port) => port !== this.port)
    const listens = listeningPorts(this.#running().tree()).includes(this.port)
    if (listens) {
      const last = await http(`${this.url}/health`, { within: 500, to: this.name })
      const seen = last.broken ?? same(`${last.status} ${last.text.slice(0, 200)}`)
      return this.#startFailure(
        say(
          `timed out after ${within} ms: GET /health says ${seen.en}`,
          `${within}ミリ秒でタイムアウト。GET /healthの応答は ${seen.ja}`,
        ),
      )
    }
    const where = others.length > 0
    return this.#startFailure(
      where
        ? say(
            `it listens on port ${others.join(', ')}, not on PORT=${this.port}`,
            `PORT=${this.port}ではなく、ポート${others.join('、')}で待ち受けている`,
          )
        : say(
            `timed out after ${within} ms: nothing listens on PORT=${this.port}`,
            `${within}ミリ秒でタイムアウト。PORT=${this.port}で待ち受けがない`,
          ),
    )
  }

  #startFailure(observed: Text) {
    return {
      outcome: 'error' as const,
      when: say(`starting ${this.name} (src/${this.role}.ts)`, `${this.name}を起動した(src/${this.role}.ts)`),
      expected: say('GET /health answers 200', 'GET /healthが200を返す'),
      observed,
    }
  }
}

/** How a process ended, for people. */
export function describeExit(exit: Exit): Text {
  if (exit.memory)
    return say(
      'ended by the harness: it used more than 1 GB of memory',
      'メモリが1GBを超えたため、ハーネスが停止した',
    )
  if (exit.signal) return say(`signal ${exit.signal}`, `シグナル${exit.signal}`)
  return say(`exit status ${exit.code}`, `終了コード${exit.code}`)
}

function stringify(env: Record<string, string | number | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
  )
}
