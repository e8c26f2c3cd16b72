import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { WORKSPACE } from '#harness/paths'
import type { Lab } from '#grader/labs'
import { runFolderName } from '#grader/run-folder'

const OLD = join(WORKSPACE, '.old')

/** Makes the learner's folder from the starter where there is none yet; what is there is never touched. */
export function makeWorkspace({ workspace, starter }: Lab): boolean {
  if (existsSync(workspace)) return false
  mkdirSync(dirname(workspace), { recursive: true })
  // Whole or not at all: a folder that Ctrl-C left half copied would look like the learner's own.
  const fresh = `${workspace}.new-${process.pid}`
  rmSync(fresh, { recursive: true, force: true })
  cpSync(starter, fresh, { recursive: true })
  renameSync(fresh, workspace)
  return true
}

/** Keeps the learner's folder aside and makes it anew; returns where the old one is, as the learner types it. */
export function resetWorkspace(lab: Lab): string | undefined {
  const kept = join(OLD, `${lab.chapter}-${runFolderName(new Date())}`)
  const had = existsSync(lab.workspace)
  if (had) {
    mkdirSync(OLD, { recursive: true })
    renameSync(lab.workspace, kept)
  }
  makeWorkspace(lab)
  return had ? join('workspace', relative(WORKSPACE, kept)) : undefined
}

/** The files that the learner edits: those that the starter has. */
export function filesToEdit({ starter }: Lab): string[] {
  return readdirSync(starter, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(starter, join(entry.parentPath, entry.name)))
    .toSorted()
}
