import { setTimeout as pause } from 'node:timers/promises'
import { StepFailure, type Finding } from '../failure.ts'
import { freePort } from '../ports.ts'
import { atEnd, scopeSignal } from '../scope.ts'
import { situation } from '../situation.ts'
import { say } from '../text.ts'
import { note, now } from '../timeline.ts'
import { eventuallyTrue, Fatal, WaitTimeout } from '../wait.ts'
import { waiting } from '../waiting.ts'
import { makeMachine, type Machine } from './machine.ts'
import { logFile, Output } from './output.ts'
import { RoleProcess, type Exit } from './process.ts'
import { RoleClient } from './client.ts'
import { shortened } from './ending.ts'
import { healthy } from './health.ts'
import { endedTooSoon, neverReady } from './start-failure.ts'
import { launchRole, replacing } from './standby.ts'

/** Longest time from a role's start to its first `GET /health` → 200. */
const READY_WITHIN = 8000
const ENDING_MS = 300

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

/** Roles that the running test, or file, has started: for their logs, and to notice one that died. */
const started = new Set<StartedRole>()

export function startedRoles(): StartedRole[] {
  return [...started]
}

interface Place {
  machine: Machine
  options: RoleOptions
  port: number
}

/** Starts an instance of a role on a machine of its own and waits until it is healthy. It ends with the test. */
export async function startRole(role: string, options: RoleOptions = {}): Promise<StartedRole> {
  const name = options.name ?? role
  const machine = await makeMachine(name)
  const port = options.port ?? (await freePort())
  const instance = new StartedRole(role, name, { machine, options, port })
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
export class StartedRole extends RoleClient {
  readonly role: string
  readonly port: number
  readonly machine: Machine
  /** When it was last seen healthy after a start, epoch milliseconds. */
  readyAt = 0
  #options: RoleOptions
  #process: RoleProcess | undefined
  #output: Output
  #expectedEnd = false
  /** Since when it is waited for. */
  #awaitedSince: number | undefined

  constructor(role: string, name: string, { machine, options, port }: Place) {
    super(name, `http://127.0.0.1:${port}`)
    this.role = role
    this.machine = machine
    this.port = port
    this.#options = options
    this.#output = new Output(logFile(name))
  }

  /** Starts the process again on the same port and machine: after a kill, a stop, or its own end. */
  async start(env: RoleOptions['env'] = {}): Promise<void> {
    this.#options = { ...this.#options, env: { ...this.#options.env, ...env } }
    this.#expectedEnd = false
    this.readyAt = 0
    note({ from: 'test', to: this.name, kind: 'role', text: `start ${this.role}` })
    const settings = { PORT: this.port, SERVER_NAME: this.name, ...this.#options.env }
    const launch = { name: this.name, role: this.role, machine: this.machine, env: stringify(settings) }
    await replacing(async () => {
      this.#process = new RoleProcess(launch, this.#output, launchRole(launch))
      if (this.#options.ready !== false) await this.ready()
    })
  }

  /** Waits for `GET /health` → 200. @throws a finding *error* when it ends first or never answers */
  async ready(within = this.#options.within ?? READY_WITHIN): Promise<void> {
    const running = this.#running()
    this.#awaitedSince = performance.now()
    const look = async (): Promise<boolean> => {
      if (!running.exit) return healthy(this.port)
      await running.said
      throw new Fatal(new StepFailure(endedTooSoon(this, running.exit)))
    }
    try {
      const what = `${this.name} to answer GET /health with 200`
      await eventuallyTrue(what, look, { within, signal: scopeSignal() })
      this.readyAt = now()
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error
      throw new StepFailure(await neverReady(this, this.#awaitedSince), { cause: error })
    } finally {
      this.#awaitedSince = undefined
    }
  }

  /** What is to be said of it when the test's time is over; undefined when nobody waits for it to be ready. */
  async unready(): Promise<Finding | undefined> {
    return this.#awaitedSince === undefined ? undefined : neverReady(this, this.#awaitedSince)
  }

  /** SIGKILL to the process and all that it started. */
  async kill(): Promise<void> {
    if (this.#process && !this.#process.exit) this.#signal('SIGKILL')
    this.#expectedEnd = true
    await this.#process?.kill()
  }

  /** Healthy when it resolves: started again where it has ended, waited for where somebody else's start goes on. */
  async up(): Promise<void> {
    if (!this.#process || this.exit) await this.start()
    else if (this.readyAt === 0) await this.ready()
  }

  /** Kill and start in one. */
  async restart(env?: RoleOptions['env']): Promise<void> {
    await this.kill()
    await this.start(env)
  }

  /** SIGTERM; how it ended and how long that took. @throws a finding *fail* when it lives on after `within` */
  async stop({ within = 10_000 } = {}): Promise<Exit & { ms: number }> {
    const begun = performance.now()
    this.terminate()
    const label = say(`${this.name} exits after SIGTERM`, `SIGTERMを受け取った${this.name}が終了する`)
    const exited = (): Exit | undefined => this.#running().exit
    try {
      const exit = await waiting(label, () =>
        eventuallyTrue(label.en, exited, { within, signal: scopeSignal() }),
      )
      return { ...exit, ms: performance.now() - begun }
    } catch (error) {
      if (!(error instanceof WaitTimeout)) throw error
      const observed = say(`it still runs ${within} ms later`, `${within}ミリ秒たっても動いている`)
      throw new StepFailure(
        { outcome: 'fail', when: situation(), expected: label, observed },
        { cause: error },
      )
    }
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
    await this.#running().freeze()
  }

  async thaw(): Promise<void> {
    this.#signal('SIGCONT')
    await this.#running().thaw()
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

  /** Resolves when all that it wrote before its end has been read; at once while it runs. */
  async said(): Promise<void> {
    if (this.exit) await this.#process?.said
  }

  /** Waits a little for an end that seems near: its connections break a moment before the system tells of it. */
  async ending(): Promise<void> {
    if (this.#process && !this.#expectedEnd) await Promise.race([this.#process.exited, pause(ENDING_MS)])
    await this.said()
  }

  /** The lines that it wrote, over all its starts. */
  get lines(): readonly string[] {
    return this.#output.lines
  }

  /** The last lines, of those that came `since` then (epoch milliseconds), paths as the learner knows them. */
  tail(count = 30, since = 0): string[] {
    return this.#output.tail(count, since).map((line) => shortened(line, this.machine))
  }

  #signal(signal: string): void {
    note({ from: 'test', to: this.name, kind: 'signal', text: signal })
  }

  #running(): RoleProcess {
    if (!this.#process) throw new Error(`${this.name} was never started`)
    return this.#process
  }
}

function stringify(env: Record<string, string | number | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]])),
  )
}
