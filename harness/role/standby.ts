import type { ChildProcess } from 'node:child_process'
import { availableParallelism, loadavg } from 'node:os'
import type { Writable } from 'node:stream'
import { lab } from '../context.ts'
import { emptyMachine, type Machine } from './machine.ts'
import { nodeCommand, spawnRole } from './process.ts'

/** What to hold ready for the next run of a lab. */
export interface StandbyPlan {
  /** Where the machines' own copies stand. */
  machines: string
  /** Which roles, one entry a process. */
  roles: readonly string[]
  /** npm packages that roles of this lab may use. */
  packages: readonly string[]
  /** What was taken is replaced up to this load average. Default: two for each processor. */
  load?: number
}

/**
 * A process that has loaded what roles need, on a machine that holds no files yet. It waits to be told its settings:
 * Node's own start, and that of the packages, is then over before anybody waits for it.
 */
export class Standby {
  readonly role: string
  readonly machine: Machine
  readonly child: ChildProcess

  constructor(role: string, machine: Machine, packages: readonly string[]) {
    this.role = role
    this.machine = machine
    const launch = { name: role, role, machine, env: { WORKBOOK_STANDBY: packages.join(',') } }
    this.child = spawnRole(launch, ['ignore', 'pipe', 'pipe', 'pipe'], nodeCommand(role))
    this.#line.on('error', () => {}) // it is dead: its exit tells
    this.child.once('error', () => {}) // no such program: whoever launches it hears the same
  }

  get isAlive(): boolean {
    return this.child.pid !== undefined && this.child.exitCode === null && this.child.signalCode === null
  }

  /** It becomes the role. */
  launch(env: Record<string, string>): ChildProcess {
    this.#line.end(`${JSON.stringify(env)}\n`)
    return this.child
  }

  get #line(): Writable {
    return this.child.stdio[3] as Writable
  }
}

interface Demand {
  /** Starts under way, and how many there were at once at most. */
  underway: number
  most: number
  /** How many are being replaced. */
  coming: number
  refill?: NodeJS.Timeout
}

const REFILL_AFTER_MS = 200
/** Most that wait for one role: each takes 60 MB. */
const MOST = 4

const ready: Standby[] = []
let plan: StandbyPlan | undefined
/** By role. */
const demand = new Map<string, Demand>()

/** Starts the processes of a plan, and from then on replaces those that were taken. They end with this thread. */
export async function prepareStandbys(given: StandbyPlan): Promise<void> {
  plan = given
  for (const role of given.roles) ready.push(await standby(given, role))
}

/** One that waits for this role, if there is one; a role with a command of its own is no Node process of ours. */
export function takeStandby(role: string): Standby | undefined {
  if (lab().commands[role]) return undefined
  const at = ready.findIndex((waiting) => waiting.role === role && waiting.isAlive)
  return at < 0 ? undefined : ready.splice(at, 1)[0]
}

/**
 * Runs a start. When no other of the role is under way, as many processes begin to wait as were asked for at once, unless
 * the machine is busy: what the next test starts is then loaded while this one waits for its own facts.
 */
export async function replacing<T>(role: string, start: () => Promise<T>): Promise<T> {
  const of = demand.get(role) ?? { underway: 0, most: 0, coming: 0 }
  demand.set(role, of)
  of.most = Math.max(of.most, ++of.underway)
  try {
    return await start()
  } finally {
    if (--of.underway === 0 && plan && !lab().commands[role]) refillSoon(plan, role, of)
  }
}

/** Not at once: what has just been started is about to be asked something, and the learner waits for that. */
function refillSoon(given: StandbyPlan, role: string, of: Demand): void {
  clearTimeout(of.refill)
  of.refill = setTimeout(() => of.underway > 0 || refill(given, role, of), REFILL_AFTER_MS).unref()
}

function refill(given: StandbyPlan, role: string, of: Demand): void {
  // Where nothing is idle, what is loaded ahead is loaded at somebody's expense.
  if (loadavg()[0]! > (given.load ?? 2 * availableParallelism())) return
  const waiting = ready.filter((one) => one.role === role && one.isAlive).length
  for (let missing = Math.min(of.most, MOST) - waiting - of.coming; missing > 0; missing--) {
    of.coming++
    standby(given, role)
      .then((one) => ready.push(one))
      .catch(() => {}) // a full disk, for one: the next start meets it, too, and is asked
      .finally(() => of.coming--)
  }
}

async function standby({ machines, packages }: StandbyPlan, role: string): Promise<Standby> {
  return new Standby(role, await emptyMachine(machines, `standby-${role}`), packages)
}
