import type { ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { availableParallelism, loadavg } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { threadId } from 'node:worker_threads'
import { lab } from '../context.ts'
import { ownProcess } from '../process/owned.ts'
import {
  basicEnvironment,
  environmentOf,
  mainModule,
  nodeCommand,
  spawnOwned,
  spawnRole,
  type Launch,
} from './process.ts'

/** What to hold ready for the next run of a lab. */
export interface StandbyPlan {
  /** Folder in which they wait. */
  dir: string
  /** How many wait for the first test. */
  count: number
  /** npm packages that roles of this lab may use. */
  packages: readonly string[]
  /** What was taken is replaced up to this load average. Default: two for each processor. */
  load?: number
}

/**
 * A Node process that has loaded what roles need and waits to be told which of them it is: Node's own start, and that of
 * the packages, is then over before anybody waits for it.
 */
class Standby {
  readonly child: ChildProcess

  constructor({ dir, packages }: StandbyPlan, number: number) {
    mkdirSync(dir, { recursive: true })
    // Its main module is a link to what it will be, made when that is known: see `standby.mjs`.
    this.child = spawnOwned('standby', nodeCommand(join(dir, `standby-${threadId}-${number}.ts`)), {
      cwd: dir,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      env: { ...basicEnvironment(), WORKBOOK_STANDBY: packages.join(',') },
    })
    this.#line.on('error', () => {}) // it is dead: its exit tells
    this.child.once('error', () => {}) // no such program: whoever launches it hears the same
  }

  get isAlive(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null
  }

  /** It becomes the role. */
  launch(launch: Launch): ChildProcess {
    const { dir } = launch.machine
    const main = join(dir, mainModule(launch.role))
    const order = { dir, main, args: launch.args ?? [], env: environmentOf(launch) }
    this.#line.end(`${JSON.stringify(order)}\n`)
    ownProcess(this.child.pid!, launch.name)
    return this.child
  }

  get #line(): Writable {
    return this.child.stdio[3] as Writable
  }
}

const REFILL_AFTER_MS = 200
/** Most that wait: each takes 60 MB. */
const MOST = 4

const ready: Standby[] = []
let plan: StandbyPlan | undefined
let made = 0
/** Starts under way, and how many there were at once at most. */
let underway = 0
let most = 0
let refilling: NodeJS.Timeout | undefined

/** Starts the processes of a plan, and from then on replaces those that were taken. They end with this thread. */
export function prepareStandbys(given: StandbyPlan): void {
  plan = given
  most = given.count
  refill(given)
}

/** Processes that wait now. */
export function standbyPids(): number[] {
  return ready.filter((one) => one.isAlive).map((one) => one.child.pid!)
}

/** Starts the process of a role: one that waits becomes it, if there is one. */
export function launchRole(launch: Launch): ChildProcess {
  return takeStandby(launch)?.launch(launch) ?? spawnRole(launch)
}

function takeStandby({ role, machine }: Launch): Standby | undefined {
  // What has a command of its own is no Node process of ours; and Node itself says best what is missing.
  if (lab().commands[role] || !existsSync(join(machine.dir, mainModule(role)))) return undefined
  const at = ready.findIndex((waiting) => waiting.isAlive)
  return at < 0 ? undefined : ready.splice(at, 1)[0]
}

/**
 * Runs a start. When no other is under way, as many processes begin to wait as were asked for at once, unless the machine
 * is busy: what is started next is then loaded while the test waits for its own facts.
 */
export async function replacing<T>(start: () => Promise<T>): Promise<T> {
  most = Math.max(most, ++underway)
  try {
    return await start()
  } finally {
    if (--underway === 0 && plan) refillSoon(plan)
  }
}

/** Not at once: what has just been started is about to be asked something, and the learner waits for that. */
function refillSoon(given: StandbyPlan): void {
  clearTimeout(refilling)
  refilling = setTimeout(() => {
    // Where nothing is idle, what is loaded ahead is loaded at somebody's expense.
    const busy = loadavg()[0]! > (given.load ?? 2 * availableParallelism())
    if (underway === 0 && !busy) refill(given)
  }, REFILL_AFTER_MS).unref()
}

function refill(given: StandbyPlan): void {
  const waiting = ready.filter((one) => one.isAlive)
  ready.length = 0
  ready.push(...waiting)
  try {
    while (ready.length < Math.min(most, MOST)) ready.push(new Standby(given, ++made))
  } catch {
    // A full disk, for one: the next start meets it, too, and is asked.
  }
}
