import type { Text } from './text.ts'

/** What one row of a bench measured. */
export interface Measured {
  /** The result in one line: `198 → 396 req/s, ×2.0`. */
  text: Text
  /** The figures behind it, by name, for `--json` and the page. */
  figures: Record<string, number>
  /** Drawn as bars, in the terminal and on the page. */
  bars?: { label: Text; value: number }[]
  unit?: string
}

export interface BenchTools {
  /** The long form was asked for (`--full`). */
  full: boolean
  /** A further subject of this lab beside the one that is measured: `mutant:health--seed-health`, `starter`. Roles start from it until the returned function is called. */
  besides: (subject: string) => Promise<() => Promise<void>>
}

export interface BenchRow {
  /** Unique in its chapter; the page names it. */
  id: string
  title: Text
  /** The seed's figure beside it; `–` where it has none. */
  seed: Text
  /** Physical limit or expectation, where there is one. */
  limit?: Text
  measure: (tools: BenchTools) => Promise<Measured>
}

/** Declares the measurements of a chapter: `checks/NN-slug/bench.ts`, run by `npm run bench NN`. */
export function defineBench(rows: BenchRow[]): BenchRow[] {
  return rows
}

/** Percentile of a list of numbers, `of` from 0 to 1, by the nearest rank. */
export function percentile(values: readonly number[], of: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(of * sorted.length) - 1)] ?? Number.NaN
}
