import { workerData, type MessagePort } from 'node:worker_threads'
import { remote } from './remote.ts'
import type { StandbyPlan } from './role/standby.ts'
import type { NodeInfo, TopologyApi } from './topology.ts'

/** What a run tells its tests. */
export interface RunContext {
  /** Folder of the lab, `02-dual-servers`. */
  chapter: string
  /** Folder with the subject's files, copied for every machine. */
  subject: string
  /** Where the run's evidence goes. */
  runDir: string
  /** Which of the run's threads this is, from 1: another one may work on another step at the same time. */
  lane: number
  /** Where the machines' own copies stand. The same place every run, so that Node's compile cache finds them. */
  machines: string
  seed: number
  /** `Date.now()` when the run began. */
  startedAt: number
  /** Limits of the steps in milliseconds, by id. */
  limits: Record<string, number>
  /** Command of a role where the subject is not TypeScript: `lab.json` of the subject. */
  commands: Record<string, string[]>
  /** Addresses a link must listen on so that servers of the topology reach it, and the name they use. */
  reach: { listen: readonly string[]; host: string }
}

/** What the tests ask of the command that runs them, beside its servers. */
export interface RunApi {
  context(): Promise<RunContext>
  /** Processes to hold ready for the next run; undefined before the first. */
  standbys(): Promise<StandbyPlan | undefined>
  /** A test file of this step begins. False: the run has ended before it. */
  enter(step: string): Promise<boolean>
  /** A test of this step has failed. */
  failed(step: string): Promise<void>
  /** Resolves when nobody waits any more for what this thread does, else never. */
  cancelled(): Promise<void>
  /** Resolves when this thread has run its last file: what its files share ends now. */
  over(): Promise<void>
  /** Nothing is left of what its files shared; or what went wrong with that. */
  ended(problem?: string): Promise<void>
}

export type HostApi = RunApi & TopologyApi

/** A run of one thread that nobody cancels and that has no standbys: for benches, and for tests of the harness. */
export function plainRun(context: RunContext): RunApi {
  const never = (): Promise<never> => new Promise(() => {})
  return {
    context: async () => context,
    standbys: async () => undefined,
    enter: async () => true,
    failed: async () => {},
    cancelled: never,
    over: never,
    ended: async () => {},
  }
}

export interface LabContext extends RunContext {
  host: HostApi
  nodes: Map<string, NodeInfo>
}

let current: LabContext | undefined
/** One for the whole thread, however many test files connect. */
let command: HostApi | undefined

/** The command that runs this thread. */
export function commandHere(): HostApi | undefined {
  const line = here().workbook
  return line && (command ??= remote<HostApi>(line))
}

/** Connects this thread to the command that runs it. Tests of the harness itself bring a host of their own. */
export async function connect(host = commandHere()): Promise<LabContext> {
  if (!host)
    throw new Error('the tests of a lab are run by npm run lab or npm run check, not by Vitest alone')
  const [run, nodes] = await Promise.all([host.context(), host.nodes()])
  current = { ...run, host, nodes: new Map(nodes.map((node) => [node.name, node])) }
  return current
}

/** The run that this thread works for. */
export function lab(): LabContext {
  if (!current) throw new Error('not connected to a run yet')
  return current
}

/** True in a worker that a command started. */
export function inRun(): boolean {
  return Boolean(here().workbook)
}

/** This thread was started for a run that nobody has asked for yet. */
export function isAhead(): boolean {
  return here().ahead === true
}

function here(): { workbook?: MessagePort; ahead?: boolean } {
  return (workerData as ReturnType<typeof here> | null) ?? {}
}
