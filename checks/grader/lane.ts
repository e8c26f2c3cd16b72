import { availableParallelism, totalmem } from 'node:os'
import type { HostApi, RunContext } from '#harness/context'
import { stripTypes } from '#harness/role/stripped'
import type { Runtime } from '#harness/runtime/runtime'
import { StartedTopology, topologyApi } from '#harness/topology'
import type { Course } from './course.ts'
import type { Lab } from './labs.ts'
import { prepareDatabases, runContext, standbyPlan, type RunFacts } from './session.ts'
import type { Subject } from './subject.ts'

/** A lane keeps two processors busy, and takes 0.7 GB (lab 02). */
const ROOM_FOR_TWO = availableParallelism() >= 4 && totalmem() > 3 * 1024 ** 3
/** Somebody has said how many: one or two. */
const SAID = { '1': 1, '2': 2 }[process.env.WORKBOOK_LANES ?? '']
/** How many steps may go on side by side. */
export const LANES = SAID ?? (ROOM_FOR_TWO ? 2 : 1)
/** And how many where nobody has said so: what one writes down is then the same on every machine. */
export const LANES_OF_AUTHORS = SAID ?? 1

/**
 * The servers of a lab and a place for machines: what one thread of tests has to itself. Steps that run side by side run
 * in different lanes, so neither sees what the other does to its servers.
 */
export class Lane {
  readonly number: number
  readonly #lab: Lab
  readonly #runtime: Runtime
  #starting: Promise<StartedTopology> | undefined
  #healed: Promise<void> | undefined
  #prepared: Promise<RunContext> | undefined
  /** Of this run, or of the last. */
  #context: RunContext | undefined

  /** @param number from 1; the servers are started by whoever asks first */
  constructor(lab: Lab, runtime: Runtime, number: number) {
    this.#lab = lab
    this.#runtime = runtime
    this.number = number
  }

  /** @throws what kept the servers from starting */
  topology(): Promise<StartedTopology> {
    return (this.#starting ??= StartedTopology.start(this.#runtime, this.#lab.spec.topology))
  }

  /** Databases and context for this subject, on servers that are as before the last run. @throws what `refusalOf` explains */
  async prepare(subject: Subject, run: RunFacts): Promise<void> {
    this.#prepared = this.#prepare(subject, run)
    await this.#prepared
  }

  /** Brings the servers back to what a run may count on; the next run awaits it, and hears if it fails. */
  heal(): void {
    this.#healed = this.#starting?.then((topology) => topology.heal())
    this.#healed?.catch(() => {})
  }

  /** Resolves when its servers are as before the last run: until then it still uses the machine. */
  async settled(): Promise<void> {
    await this.#healed?.catch(() => {}) // the next run awaits it and reports
  }

  /** Resolves when nothing is being started; from now on nothing will be. */
  async quiet(): Promise<void> {
    const topology = await this.#starting?.catch(() => undefined)
    await topology?.quiet()
    await this.settled()
  }

  /** What the tests of this lane may ask, beside what concerns their thread alone. */
  host(course: () => Course): Omit<HostApi, 'over' | 'ended'> {
    return {
      ...topologyApi(() => this.topology()),
      context: async () => {
        await course().turn(this.number)
        const context = await this.#prepared!
        // The thread begins, this one has time: the first role will be started in a moment.
        setImmediate(() => stripTypes(context.subject))
        return context
      },
      standbys: async () => this.#context && standbyPlan(this.#lab, this.#context),
      enter: async (step) => course().enter(this.number, step),
      failed: async (step) => course().failed(step),
      cancelled: () => course().abandoned(this.number),
    }
  }

  async #prepare(subject: Subject, run: RunFacts): Promise<RunContext> {
    await this.#healed
    await prepareDatabases(await this.topology(), this.#lab, subject)
    return (this.#context = await runContext(this.#lab, this.#runtime, subject, {
      ...run,
      lane: this.number,
    }))
  }
}
