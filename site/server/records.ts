import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Verdict } from '../../checks/grader/verdict.ts'
import type { BenchResult } from '../src/live/protocol.ts'
import { readJson } from './follow.ts'

/** How many old runs are looked through for one of the learner's own. */
const MOST_RUNS = 30
/** A run whose verdict was not touched for so long is not under way any more. */
const STALE_MS = 90_000
const LONGEST_LOG = 256 * 1024

export interface Run {
  /** The run's folder, relative to the workspace, as the feed names it. */
  run: string
  verdict: Verdict
}

/** Reads what the grader has recorded of a lab. `chapter` is always a name from our own list of labs. */
export class Records {
  readonly #runs: string

  constructor(workspace: string) {
    this.#runs = join(workspace, '.runs')
  }

  /** The newest run on the learner's own folder. */
  latest(chapter: string): Run | undefined {
    const folder = join(this.#runs, chapter)
    for (const run of this.#newestFirst(folder)) {
      const file = join(folder, run, 'verdict.json')
      const verdict = readJson<Verdict>(file)
      if (verdict?.subject === 'workspace')
        return { run: `.runs/${chapter}/${run}`, verdict: settled(verdict, file) }
    }
    return undefined
  }

  /** A role's log of the newest run, by its place in the list of logs: no name from a request is used as a path. */
  log(chapter: string, name: string): string | undefined {
    const run = this.latest(chapter)?.run
    if (run === undefined) return undefined
    const folder = join(this.#runs, '..', run)
    const found = this.#logs(folder).find((file) => basename(file, '.log') === name)
    return found === undefined ? undefined : tail(join(folder, found))
  }

  logs(chapter: string): string[] {
    const run = this.latest(chapter)?.run
    return run === undefined
      ? []
      : this.#logs(join(this.#runs, '..', run)).map((file) => basename(file, '.log'))
  }

  bench(chapter: string): BenchResult | undefined {
    return readJson<BenchResult>(join(this.#runs, chapter, 'bench.json'))
  }

  #logs(folder: string): string[] {
    return existsSync(folder)
      ? readdirSync(folder)
          .filter((file) => file.endsWith('.log'))
          .sort()
      : []
  }

  #newestFirst(folder: string): string[] {
    if (!existsSync(folder)) return []
    const runs = readdirSync(folder)
      .filter((name) => name !== 'latest' && lstatSync(join(folder, name)).isDirectory())
      .sort()
      .reverse()
      .slice(0, MOST_RUNS)
    const latest = pointer(join(folder, 'latest'))
    return latest !== undefined && runs.includes(latest)
      ? [latest, ...runs.filter((name) => name !== latest)]
      : runs
  }
}

/** `latest` is a link, or a file with the name in it where links need rights. */
function pointer(file: string): string | undefined {
  const stats = lstatSync(file, { throwIfNoEntry: false })
  if (!stats) return undefined
  return basename(stats.isSymbolicLink() ? readlinkSync(file) : readFileSync(file, 'utf8').trim())
}

function settled(verdict: Verdict, file: string): Verdict {
  const stale = verdict.status === 'running' && Date.now() - statSync(file).mtimeMs > STALE_MS
  return stale ? { ...verdict, status: 'unknown' } : verdict
}

function tail(file: string): string {
  const text = readFileSync(file, 'utf8')
  return text.length > LONGEST_LOG ? text.slice(-LONGEST_LOG) : text
}
