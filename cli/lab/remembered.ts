import type { Lab } from '#grader/labs'
import { readProgress } from '#grader/progress'

/** Hints that the learner opened in earlier sessions, and whether the solution is open to them. */
export async function remembered(
  lab: Lab,
): Promise<{ opened: Record<string, number>; surrendered: boolean; passed: string[] }> {
  const { progress } = await readProgress()
  const mine = progress.labs[lab.id]
  const passed = Object.entries(mine?.last.steps ?? {}).filter(([, outcome]) => outcome === 'pass')
  return {
    opened: { ...mine?.hints },
    surrendered: mine?.surrendered !== undefined,
    passed: passed.map(([id]) => id),
  }
}
