import {
  appendFileSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, relative } from 'node:path'
import { WORKSPACE } from '#harness/paths'
import type { FeedEvent } from './verdict.ts'

/** How many runs of one lab are kept. */
const KEPT = 20
const MOST_FEED = 1024 * 1024

const RUNS = join(WORKSPACE, '.runs')

/** A new folder for a run, `workspace/.runs/<lab>/<time>/`; `latest` points to it. The oldest runs go. */
export function makeRunFolder(chapter: string, at: Date): string {
  const ofLab = join(RUNS, chapter)
  const time = runFolderName(at)
  const dir = join(ofLab, time)
  mkdirSync(dir, { recursive: true })
  pointTo(ofLab, time)
  const old = readdirSync(ofLab)
    .filter((name) => /^\d{4}-/.test(name))
    .toSorted()
    .slice(0, -KEPT)
  for (const name of old) rmSync(join(ofLab, name), { recursive: true, force: true })
  return dir
}

/** Name of the folder of the run that began then. */
export function runFolderName(at: Date): string {
  return at.toISOString().replaceAll(':', '-').replace('Z', '')
}

/** Writes a file so that a reader sees the old or the new content, never half of it. */
export function writeAtomically(path: string, content: string): void {
  const fresh = `${path}.${process.pid}.tmp`
  writeFileSync(fresh, content)
  renameSync(fresh, path)
}

/** One line for those who follow along (the site). A feed that has grown long is begun anew. */
export function feed(event: FeedEvent): void {
  const path = join(RUNS, 'feed.jsonl')
  mkdirSync(RUNS, { recursive: true })
  if (event.type === 'run-started' && sizeOf(path) > MOST_FEED) rmSync(path, { force: true })
  appendFileSync(path, `${JSON.stringify(event)}\n`)
}

/** The run's folder as other tools may name it: relative to the workspace. */
export function runName(dir: string): string {
  return relative(WORKSPACE, dir)
}

function pointTo(ofLab: string, time: string): void {
  const latest = join(ofLab, 'latest')
  rmSync(latest, { force: true, recursive: true })
  try {
    symlinkSync(time, latest, 'dir')
  } catch {
    writeFileSync(latest, time) // no symbolic links here (Windows without the right)
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0
}
