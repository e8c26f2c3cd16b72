import { join } from 'node:path'
import { existsSync } from 'node:fs'
import type { BenchRow, Measured } from '#harness/bench'
import { connect, lab as context, plainRun } from '#harness/context'
import { RUNTIME_DIR, WORKSPACE } from '#harness/paths'
import type { Runtime } from '#harness/runtime/runtime'
import { scopes } from '#harness/scope'
import { StartedTopology, topologyApi } from '#harness/topology'
import type { Lab } from './labs.ts'
import { makeRunFolder, writeAtomically } from './run-folder.ts'
import { prepareDatabases, runContext } from './session.ts'
import { overlaySubject, resolveSubject, type Subject } from './subject.ts'

export interface BenchResult {
  row: BenchRow
  measured: Measured
}

/** The rows of a lab's bench; empty where it has none. */
export async function benchRows(lab: Lab): Promise<BenchRow[]> {
  const file = join(lab.checks, 'bench.ts')
  if (!existsSync(file)) return []
  return ((await import(file)) as { default: BenchRow[] }).default
}

/**
 * Measures a subject row by row, on a topology of its own. `workspace/.runs/<lab>/bench.json` holds the newest result of
 * each row, for the page.
 */
export async function measure(
  lab: Lab,
  runtime: Runtime,
  subject: Subject,
  { rows, full, onRow }: { rows: BenchRow[]; full: boolean; onRow: (result: BenchResult) => void },
): Promise<BenchResult[]> {
  const dir = makeRunFolder(lab.chapter, new Date())
  const topology = await StartedTopology.start(runtime, lab.spec.topology)
  const results: BenchResult[] = []
  try {
    for (const row of rows) {
      await prepareDatabases(topology, lab, subject)
      const run = await runContext(lab, runtime, subject, {
        dir,
        seed: 1,
        startedAt: Date.now(),
      })
      await connect({ ...plainRun(run), ...topologyApi(async () => topology) })
      try {
        const measured = await row.measure({
          full,
          besides: (name) => useSubject(lab, topology, subject, name),
        })
        results.push({ row, measured })
        onRow({ row, measured })
      } finally {
        await scopes.closeFile()
        await topology.heal()
      }
    }
  } finally {
    await topology.close()
  }
  save(lab, subject, runtime, results)
  return results
}

/** Lets roles start from another subject for a while, beside what runs already. */
async function useSubject(
  lab: Lab,
  topology: StartedTopology,
  main: Subject,
  name: string,
): Promise<() => Promise<void>> {
  const [kind, rest] = name.split(':')
  const other =
    kind === 'mutant' || kind === 'variant'
      ? await overlaySubject(lab, join(lab.checks, `${kind}s`, rest!), name)
      : await resolveSubject(lab, name)
  const run = context()
  const before = { subject: run.subject, machines: run.machines }
  await prepareDatabases(topology, lab, other)
  Object.assign(run, { subject: other.dir, machines: join(RUNTIME_DIR, 'machines', `${lab.chapter}-beside`) })
  return async () => {
    Object.assign(run, before)
    await prepareDatabases(topology, lab, main)
  }
}

function save(lab: Lab, subject: Subject, runtime: Runtime, results: BenchResult[]): void {
  const file = join(WORKSPACE, '.runs', lab.chapter, 'bench.json')
  const rows = Object.fromEntries(results.map(({ row, measured }) => [row.id, measured]))
  const head = { at: new Date().toISOString(), subject: subject.name, runtime: runtime.kind }
  writeAtomically(file, `${JSON.stringify({ ...head, rows }, null, 2)}\n`)
}
