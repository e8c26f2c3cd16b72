import { atEnd, scopeSignal } from '../scope.ts'
import { note } from '../timeline.ts'
import { eventuallyTrue } from '../wait.ts'
import { makeMachine } from './machine.ts'
import { logFile, Output } from './output.ts'
import { RoleProcess, type Exit } from './process.ts'
import { launchRole, replacing } from './standby.ts'

export interface CommandOptions {
  name?: string
  args?: readonly string[]
  env?: Record<string, string>
  /** Longest run in milliseconds. Default 10,000. */
  within?: number
}

/** A command role under way: it runs, writes lines and ends. */
export interface StartedCommand {
  readonly lines: readonly string[]
  readonly pid: number
  /** Waits for its end. @throws WaitTimeout */
  ended(): Promise<Exit & { lines: readonly string[] }>
  signal(signal: NodeJS.Signals): void
  kill(): Promise<unknown>
}

/** Starts a command role (`failover`, `deploy`, `warm`): arguments as given, no port. What is left of it ends with the test. */
export async function startCommand(role: string, options: CommandOptions = {}): Promise<StartedCommand> {
  const { name = role, args = [], env = {}, within = 10_000 } = options
  const output = new Output(logFile(name))
  note({ from: 'test', to: name, kind: 'role', text: `${role} ${args.join(' ')}`.trim() })
  const machine = await makeMachine(name)
  const launch = { name, role, args, machine, env }
  const running = await replacing(async () => new RoleProcess(launch, output, launchRole(launch)))
  atEnd(async () => {
    await running.kill()
    machine.leave()
  })
  return {
    get lines() {
      return output.lines
    },
    pid: running.pid,
    async ended() {
      const exit = await eventuallyTrue(`${name} to end`, () => running.exit, {
        within,
        signal: scopeSignal(),
      })
      return { ...exit, lines: output.lines }
    },
    signal: (signal) => running.signal(signal),
    kill: () => running.kill(),
  }
}

/** Runs a command role to its end. */
export async function command(
  role: string,
  options: CommandOptions = {},
): Promise<Exit & { lines: readonly string[] }> {
  return (await startCommand(role, options)).ended()
}
