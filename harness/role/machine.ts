import { randomUUID } from 'node:crypto'
import { cpSync, mkdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { lab } from '../context.ts'
import { StepFailure } from '../failure.ts'
import { same, say } from '../text.ts'

/** The own disk of one instance: its copy of the subject, its working directory, its temporary folder. */
export interface Machine {
  dir: string
  tmp: string
  /** In the environment of everything that runs on it: finds what broke away from its parents. */
  mark: string
  /** Its instance has ended: the next one of this name may have the place. */
  leave(): void
}

/** Places that are in use: two instances of one name are two machines. */
const taken = new Set<string>()

/**
 * Gives an instance a machine of its own. Two instances on one laptop would otherwise share a disk that two machines
 * do not share, and state on the local disk would pass for shared state.
 */
export async function makeMachine(name: string): Promise<Machine> {
  const { machines, subject } = lab()
  const home = vacant(join(machines, name.replaceAll(/[^\w.-]/g, '_')))
  taken.add(home)
  const dir = join(home, 'app')
  const tmp = join(home, 'tmp')
  // At once: that takes a millisecond, and file by file with other work in between thirty to fifty.
  rmSync(home, { recursive: true, force: true })
  mkdirSync(tmp, { recursive: true })
  install(subject, dir)
  return { dir, tmp, mark: `WORKBOOK_ROLE=${randomUUID()}`, leave: () => taken.delete(home) }
}

/** Copies the subject. */
function install(subject: string, dir: string): void {
  const filter = (path: string): boolean => !SKIPPED.has(basename(path))
  try {
    cpSync(subject, dir, { recursive: true, verbatimSymlinks: true, filter })
  } catch (error) {
    unreadable(error as NodeJS.ErrnoException)
  }
}

/** The same places run after run, so that Node's compile cache finds them. */
function vacant(home: string, number = 1): string {
  const place = number === 1 ? home : `${home}.${number}`
  return taken.has(place) ? vacant(home, number + 1) : place
}

/** Dependencies come from the clone; history and old runs are nobody's input. */
const SKIPPED = new Set(['node_modules', '.git', '.runs'])

function unreadable(error: NodeJS.ErrnoException): never {
  throw new StepFailure({
    outcome: 'error',
    when: say('copying the subject to the machine of a role', 'ロールのマシンへファイルをコピーした'),
    expected: say('every file can be read', 'すべてのファイルを読める'),
    observed: same(`${error.code}: ${basename(error.path ?? '')}`),
  })
}
