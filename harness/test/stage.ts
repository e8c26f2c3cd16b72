import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import { connect, plainRun, type HostApi, type RunContext } from '../context.ts'
import type { Topology } from '../lab.ts'
import { RUNTIME_DIR } from '../paths.ts'
import { OWNER, ownFolder, sweepOwn } from '../process/owned.ts'
import { chooseRuntime } from '../runtime/choose.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { scopes } from '../scope.ts'
import { StartedTopology, topologyApi } from '../topology.ts'

/** What a test of the harness needs in a grader's place. */
export interface Stage {
  readonly topology: StartedTopology
  readonly runtime: Runtime
  /** Ends what the test has started and heals the topology, as between two runs of a lab. */
  nextRun(): Promise<void>
}

const HOME = join(RUNTIME_DIR, 'test', OWNER)

/** What tests write goes with them. */
export function ownHome(): void {
  ownFolder(HOME)
}

/** Brings a topology up for the tests of this file. Each test begins as a run of a lab does: all healthy, nothing left. */
export function useTopology(spec: Topology, { subject = join(import.meta.dirname, 'subject') } = {}): Stage {
  let topology: StartedTopology
  let runtime: Runtime
  const begin = async (): Promise<void> => {
    await connect(hostOf(topology, contextOf(subject, runtime)))
    scopes.openTest()
  }
  const end = async (): Promise<void> => {
    await scopes.closeTest()
    await topology.heal()
  }
  beforeAll(async () => {
    ownHome()
    runtime = await chooseRuntime()
    topology = await StartedTopology.start(runtime, spec)
  })
  beforeEach(begin)
  afterEach(end)
  afterAll(async () => {
    await topology?.close()
    await sweepOwn()
  })
  return {
    get topology() {
      return topology
    },
    get runtime() {
      return runtime
    },
    async nextRun() {
      await end()
      await begin()
    },
  }
}

/** A run's context for tests that start roles of a folder. */
export function contextOf(subject: string, runtime?: Runtime): RunContext {
  const [runDir, machines] = [join(HOME, 'run'), join(HOME, 'machines')]
  for (const folder of [runDir, machines]) mkdirSync(folder, { recursive: true })
  return {
    chapter: '00-test',
    subject,
    runDir,
    machines,
    seed: 1,
    startedAt: Date.now(),
    limits: {},
    commands: {},
    lane: 1,
    reach: runtime?.reach ?? { listen: ['127.0.0.1'], host: '127.0.0.1' },
  }
}

/** A host that serves a topology, as a grader does. */
export function hostOf(topology: StartedTopology, context: RunContext): HostApi {
  return { ...plainRun(context), ...topologyApi(async () => topology) }
}

/** A host for tests that need no servers. */
export function hostWithout(context: RunContext): HostApi {
  const none = async (): Promise<never> => {
    throw new Error('this test has no topology')
  }
  return {
    ...plainRun(context),
    nodes: async () => [],
    act: none,
    database: none,
    databaseInPlace: none,
    renew: none,
    reseed: none,
    add: none,
  }
}
