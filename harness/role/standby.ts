import type { ChildProcess } from 'node:child_process'
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

const ready: Standby[] = []

/** Starts the processes of a plan. They end with this thread. */
export async function prepareStandbys({ machines, roles, packages }: StandbyPlan): Promise<void> {
  for (const role of roles) {
    const machine = await emptyMachine(machines, `standby-${role}`)
    ready.push(new Standby(role, machine, packages))
  }
}

/** One that waits for this role, if there is one; a role with a command of its own is no Node process of ours. */
export function takeStandby(role: string): Standby | undefined {
  if (lab().commands[role]) return undefined
  const at = ready.findIndex((standby) => standby.role === role && standby.isAlive)
  return at < 0 ? undefined : ready.splice(at, 1)[0]
}
