import { mkdirSync, mkdtempSync, rmSync, watch, writeFileSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { release, totalmem } from 'node:os'
import { join } from 'node:path'
import { readProgress } from '#grader/progress'
import { RUNTIME_DIR, WORKSPACE } from '#harness/paths'
import { freePort } from '#harness/ports'
import { same } from '#harness/text'
import { look, type Finding } from './finding.ts'
import { DOCTOR } from './messages.ts'
import { GIGABYTE, gigabytes } from './units.ts'

const EVENT_WITHIN_MS = 1000
const WSL = /microsoft/i.test(release())

/** Node, system, disk, memory, ports, and the learner's folder. */
export function lookAtMachine(): Promise<Finding[]> {
  return Promise.all([
    look('node', async () => ({ status: 'ok', text: same(process.versions.node) })),
    look('system', system),
    look('disk', disk),
    look('memory', memory),
    look('ports', ports),
    look('workspace', workspace),
    look('progress', progress),
    look('events', events),
  ])
}

async function system(): Promise<Omit<Finding, 'topic'>> {
  if (process.platform === 'win32') return { status: 'warn', text: DOCTOR.windows, remedy: DOCTOR.cloneInWsl }
  return {
    status: 'ok',
    text: same(`${process.platform} ${process.arch}${WSL ? ' (WSL)' : ''}, ${release()}`),
  }
}

async function disk(): Promise<Omit<Finding, 'topic'>> {
  mkdirSync(RUNTIME_DIR, { recursive: true })
  const { bavail, bsize } = await statfs(RUNTIME_DIR)
  const free = bavail * bsize
  if (free > 2 * GIGABYTE) return { status: 'ok', text: DOCTOR.free(free) }
  return {
    status: free > GIGABYTE / 2 ? 'warn' : 'missing',
    text: DOCTOR.free(free),
    remedy: DOCTOR.freeSome,
  }
}

async function memory(): Promise<Omit<Finding, 'topic'>> {
  const free = process.availableMemory()
  const all = gigabytes(Math.min(totalmem(), process.constrainedMemory() || totalmem()))
  const text = DOCTOR.free(free)
  const shown = { en: `${text.en} of ${all} GB`, ja: `${all} GBのうち${text.ja}` }
  return free > GIGABYTE
    ? { status: 'ok', text: shown }
    : { status: 'warn', text: shown, remedy: DOCTOR.closeSome }
}

async function ports(): Promise<Omit<Finding, 'topic'>> {
  await freePort()
  return { status: 'ok', text: DOCTOR.portFound }
}

async function workspace(): Promise<Omit<Finding, 'topic'>> {
  mkdirSync(WORKSPACE, { recursive: true })
  rmSync(mkdtempSync(join(WORKSPACE, '.doctor-')), { recursive: true })
  return { status: 'ok', text: DOCTOR.canWrite }
}

async function progress(): Promise<Omit<Finding, 'topic'>> {
  const known = await readProgress()
  const [notice] = known.notices
  if (notice) return { status: 'warn', text: notice }
  const labs = Object.keys(known.progress.labs).length
  return { status: 'ok', text: labs > 0 ? DOCTOR.progressOf(labs) : DOCTOR.noProgress }
}

/** Saves a file and waits for the word of it: on network folders, and on Windows' drives under WSL, none comes. */
async function events(): Promise<Omit<Finding, 'topic'>> {
  mkdirSync(WORKSPACE, { recursive: true })
  const dir = mkdtempSync(join(WORKSPACE, '.doctor-'))
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), EVENT_WITHIN_MS)
  const watcher = watch(dir, () => resolve(true))
  watcher.on('error', () => resolve(false))
  try {
    writeFileSync(join(dir, 'probe'), '')
    if (await promise) return { status: 'ok', text: DOCTOR.eventsArrive }
    return { status: 'warn', text: DOCTOR.noEvents, remedy: DOCTOR.moveClone }
  } finally {
    clearTimeout(timer)
    watcher.close()
    rmSync(dir, { recursive: true, force: true })
  }
}
