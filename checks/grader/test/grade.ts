import { Grader } from '#grader/grader'
import { findLab } from '#grader/labs'
import { OWNER_MARK, sweep, sweepOwn } from '#harness/process/owned'
import { chooseRuntime } from '#harness/runtime/choose'

/**
 * A command that grades one folder after the other on one warm topology, as `npm run lab` does from save to save. Told by
 * messages, so that a subject which brings it down is seen from outside.
 */
process.on('message', ({ dir, ...how }: { dir?: string } & How) => {
  const done = dir === undefined ? close() : grade(dir, how)
  done.catch((error: Error) => process.send?.({ error: error.stack }))
})

/** Go on after a step that has not passed; milliseconds that a step may take; only these steps. */
export interface How {
  whole?: boolean
  limit?: number
  order?: string[]
}

await sweep()
const [number = ''] = process.argv.slice(2)
const lab = await findLab(number)
if (!lab) throw new Error(`no lab ${number} in WORKBOOK_LABS`)
const steps = lab.spec.steps as unknown as { limit?: number }[]
const grader = await Grader.open(lab, await chooseRuntime())
process.send?.({ ready: OWNER_MARK.WORKBOOK_OWNER })

async function grade(dir: string, { whole, limit, order }: How): Promise<void> {
  if (limit !== undefined) for (const step of steps) step.limit = limit
  const begun = performance.now()
  const verdict = await grader.run({ subject: { name: dir, dir }, stopAtFailure: !whole, order })
  process.send?.({ verdict, ms: performance.now() - begun })
}

async function close(): Promise<void> {
  await grader.close()
  await sweepOwn()
  process.exit()
}
