import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CLONE_ID, RUNTIME_DIR } from '../paths.ts'
import { eventuallyTrue } from '../wait.ts'
import { foldersIn, releaseSegments } from './segments.ts'
import { killTree } from './signal.ts'
import { environmentHas, isAlive, processInfo, processTable } from './table.ts'

/**
 * What a command started and must not leave behind. Each command appends to a file of its own, so that `kill -9` at any
 * moment leaves a readable record; the next start removes what a dead command left.
 */
type Owned = { pid: number; started: string; what: string } | { dir: string } | { containers: true }

const folder = join(RUNTIME_DIR, 'owned')
const started = processInfo(process.pid)?.started ?? '0'

/** Names this command for ever: pid and start time. */
export const OWNER = `${process.pid}-${started.replaceAll(/\W/g, '')}`

/** In the environment of everything that this command starts: finds children that broke away from their parents. */
export const OWNER_MARK = { WORKBOOK_OWNER: `${CLONE_ID}/${OWNER}/` }

/** Writes down a process that this command started. */
export function ownProcess(pid: number, what: string): void {
  record({ pid, started: processInfo(pid)?.started ?? '', what })
}

/** Writes down a folder that must go with this command. */
export function ownFolder(dir: string): void {
  record({ dir })
}

/** Writes down that this command starts containers; which, their labels say. */
export function ownContainers(): void {
  record({ containers: true })
}

/** Is the command that calls itself `owner` still running? */
export function ownerLives(owner: string): boolean {
  const pid = Number(owner.split('-')[0])
  const info = processInfo(pid)
  return info !== undefined && owner === `${pid}-${info.started.replaceAll(/\W/g, '')}` && info.state !== 'Z'
}

/**
 * Ends what dead commands of this clone left behind, and nothing else.
 * @returns what was removed, for the one line that says so
 */
export async function sweep(): Promise<string[]> {
  const removed: string[] = []
  for (const file of listOwners()) {
    if (ownerLives(file)) continue
    removed.push(...(await removeOwned(file)))
  }
  return removed
}

/** Ends everything that this command started: the last thing it does. */
export async function sweepOwn(): Promise<string[]> {
  return listOwners().includes(OWNER) ? removeOwned(OWNER) : []
}

async function removeOwned(owner: string): Promise<string[]> {
  const file = join(folder, owner)
  const all = readRecord(file)
  const removed: string[] = []
  // The last word on a process names it best: see the standbys.
  for (const owned of all.toReversed()) {
    if (!('pid' in owned) || !isAlive(owned.pid, owned.started)) continue
    await killTree(owned.pid)
    removed.push(owned.what)
  }
  const mark = `${CLONE_ID}/${owner}/`
  for (const p of processTable()) {
    if (p.pid === process.pid || p.state === 'Z' || !environmentHas(p.pid, mark)) continue
    await killTree(p.pid)
    removed.push(`process ${p.pid}`)
  }
  for (const owned of all) {
    // The record stays until it can be removed.
    if ('dir' in owned && !(await removeFolder(owned.dir))) return removed
  }
  if (all.some((owned) => 'containers' in owned)) {
    const containers = await removeContainers(owner)
    if (!containers) return removed // no daemon now: the record stays until one answers
    removed.push(...containers)
  }
  rmSync(file, { force: true })
  return removed
}

/** False where it can't be removed. Two commands that clean up at once trip over each other, so it is looked at again. */
async function removeFolder(dir: string): Promise<boolean> {
  releaseSegments(foldersIn(dir))
  const gone = (): boolean => {
    rmSync(dir, { recursive: true, force: true })
    return !existsSync(dir)
  }
  return eventuallyTrue(`${dir} to be removed`, gone, { within: 2000 }).catch(() => false)
}

/** Undefined where no daemon answers: one that hangs would hang us. */
async function removeContainers(owner: string): Promise<string[] | undefined> {
  const { dockerAnswers } = await import('../runtime/choose.ts')
  if (!(await dockerAnswers()).yes) return undefined
  // Loaded only here: whoever works without Docker does not wait for its client.
  const { sweepContainers } = await import('../runtime/docker-left.ts')
  return sweepContainers(owner).catch(() => undefined)
}

function record(owned: Owned): void {
  mkdirSync(folder, { recursive: true })
  appendFileSync(join(folder, OWNER), `${JSON.stringify(owned)}\n`)
}

function listOwners(): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // nothing was ever started
  }
}

/** Nothing where another command was first to clean up. */
function readRecord(file: string): Owned[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean).flatMap(parse)
  } catch {
    return []
  }
}

/** The last line of a killed command may be torn. */
function parse(line: string): Owned[] {
  try {
    return [JSON.parse(line) as Owned]
  } catch {
    return []
  }
}
