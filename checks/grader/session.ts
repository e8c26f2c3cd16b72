import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunContext } from '#harness/context'
import type { TemplateSource } from '#harness/databases'
import { RUNTIME_DIR } from '#harness/paths'
import { OWNER, ownFolder } from '#harness/process/owned'
import type { StandbyPlan } from '#harness/role/standby'
import type { Runtime } from '#harness/runtime/runtime'
import type { StartedTopology } from '#harness/topology'
import type { Lab } from './labs.ts'
import { readSubject, roleCommands, type Subject } from './subject.ts'

/** Makes the database templates from the lab's data and the subject's schema. @throws SchemaError, SubjectError */
export async function prepareDatabases(topology: StartedTopology, lab: Lab, subject: Subject): Promise<void> {
  const parts = Object.entries(lab.spec.topology).filter(
    ([, { kind }]) => kind === 'postgres' || kind === 'replicated',
  )
  await Promise.all(
    parts.map(async ([component]) => {
      topology.databases.use(component, await templateSources(lab, subject, component))
      await topology.databases.prepare(component)
    }),
  )
}

async function templateSources(lab: Lab, subject: Subject, component: string): Promise<TemplateSource[]> {
  const own = [`data.${component}.sql`, 'data.sql']
    .map((file) => join(lab.dir, file))
    .find((file) => existsSync(file))
  const schema = await readSubject(subject, 'schema.sql')
  const sources: TemplateSource[] = []
  if (own) sources.push({ file: 'data.sql', sql: await readFile(own, 'utf8'), user: 'postgres' })
  if (schema !== undefined) sources.push({ file: 'schema.sql', sql: schema, user: 'app' })
  return sources
}

/** A run as such, whatever it grades. */
export interface RunFacts {
  /** Where its evidence goes. */
  dir: string
  seed: number
  /** Epoch milliseconds. */
  startedAt: number
  /** Which of its threads is told, from 1. */
  lane?: number
}

/** What roles and tests are told of a run. */
export async function runContext(
  lab: Lab,
  runtime: Runtime,
  subject: Subject,
  run: RunFacts,
): Promise<RunContext> {
  const { lane = 1 } = run
  const machines = await claimMachines(lane === 1 ? lab.chapter : `${lab.chapter}~${lane}`)
  return {
    chapter: lab.chapter,
    subject: subject.dir,
    runDir: run.dir,
    machines,
    seed: run.seed,
    startedAt: run.startedAt,
    lane,
    limits: Object.fromEntries(lab.spec.steps.map((step) => [step.id, step.limit ?? 20_000])),
    commands: await roleCommands(subject),
    reach: runtime.reach,
  }
}

/**
 * Where the machines of this command stand: the same place every run, so that Node's compile cache finds them, and
 * another one where a second command runs the same lab at the same time.
 */
async function claimMachines(chapter: string, number = 1): Promise<string> {
  const dir = join(RUNTIME_DIR, 'machines', number === 1 ? chapter : `${chapter}.${number}`)
  const claim = join(dir, '.owner')
  await mkdir(dir, { recursive: true })
  try {
    await writeFile(claim, OWNER, { flag: 'wx' })
    ownFolder(claim) // released with the command, or when the next one cleans up after it
    return dir
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const mine = (await readFile(claim, 'utf8').catch(() => '')) === OWNER
    return mine ? dir : claimMachines(chapter, number + 1)
  }
}

/** Two processes wait: that is what most tests begin with. */
export function standbyPlan(lab: Lab, { machines }: RunContext): StandbyPlan {
  const kinds = new Set(Object.values(lab.spec.topology).map(({ kind }) => kind))
  const redis = kinds.has('redis') || kinds.has('redis-cluster')
  const postgres = kinds.has('postgres') || kinds.has('replicated')
  return {
    dir: machines,
    count: 2,
    packages: ['hono', '@hono/node-server', ...(postgres ? ['pg'] : []), ...(redis ? ['ioredis'] : [])],
  }
}
