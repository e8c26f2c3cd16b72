import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { RUNTIME_DIR, WORKSPACE } from '#harness/paths'
import { isAlive, processInfo } from '#harness/process/table'

/** Who holds a lock. */
export interface Holder {
  pid: number
  /** Start time of the process: with the pid it names one process for ever. */
  started: string
  /** As the reader typed it, `npm run check 02`. */
  command: string
  since: string
}

export interface LockOptions {
  command: string
  /** Told once who holds it, before the wait begins. */
  onWait?: (holder: Holder) => void
  signal?: AbortSignal
}

const LOOK_MS = 50
/** A workspace elsewhere is a test of the tools: it waits for no run of the learner's. */
const SCOPE = process.env.WORKBOOK_WORKSPACE
  ? `-${createHash('sha256').update(WORKSPACE).digest('hex').slice(0, 8)}`
  : ''
let counter = 0

/**
 * Takes a lock of this clone, or waits for it; returns what gives it back. Nobody else's lock ever stands in the way for
 * longer than its process lives: mtime-based libraries make the next command wait for seconds after a `kill -9`.
 */
export async function takeLock(name: string, { command, onWait, signal }: LockOptions): Promise<() => void> {
  const lock = join(RUNTIME_DIR, 'locks', name + SCOPE)
  const mine = `${lock}.${process.pid}-${++counter}`
  const started = processInfo(process.pid)?.started ?? ''
  const holder: Holder = { pid: process.pid, started, command, since: new Date().toISOString() }
  const enter = (): void => {
    mkdirSync(mine, { recursive: true })
    writeFileSync(join(mine, 'owner'), JSON.stringify({ ...holder, since: new Date().toISOString() }))
  }
  enter()
  try {
    for (let told = false; !grab(lock, mine);) {
      const other = holderOf(lock)
      if (other && !told) onWait?.(other)
      told ||= other !== undefined
      await pause(LOOK_MS, undefined, { signal })
    }
  } catch (error) {
    rmSync(mine, { recursive: true, force: true })
    throw error
  }
  return () => {
    // At once: removing a folder takes two steps, and between them somebody could move theirs over it.
    renameSync(lock, mine)
    rmSync(mine, { recursive: true, force: true })
    tidy(lock)
  }
}

/** A folder that holds something can't be renamed over: of two that try, one gets the lock. */
function grab(lock: string, mine: string): boolean {
  const other = holderOf(lock)
  if (other && isAlive(other.pid, other.started || undefined)) return false
  try {
    // Aside, under the dead one's name: a third that saw it dead, too, and is later, can't take our lock for it.
    if (other) renameSync(lock, `${lock}.dead-${other.pid}-${other.started.replaceAll(/\W/g, '')}`)
    renameSync(mine, lock)
    return true
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (/^(ENOTEMPTY|EEXIST|EPERM)$/.test(code)) return false
    if (code === 'ENOENT' && other) return false // another was first to put the dead one aside
    throw error
  }
}

/** Who holds this lock now; undefined where nobody does. */
export function holderOf(lock: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(join(lock, 'owner'), 'utf8')) as Holder
  } catch {
    return undefined // nobody, or given back this moment
  }
}

/** Removes what those left that were killed while they waited or held it. */
function tidy(lock: string): void {
  const folder = dirname(lock)
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(`${basename(lock)}.`)) continue
    const owner = holderOf(join(folder, name))
    if (owner && !isAlive(owner.pid, owner.started || undefined))
      rmSync(join(folder, name), { recursive: true, force: true })
  }
}
