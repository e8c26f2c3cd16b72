import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** One line of the system's process table. */
export interface ProcessInfo {
  pid: number
  ppid: number
  pgid: number
  /** First letter of the state: R, S, T (stopped), Z (zombie) … */
  state: string
  /** Together with the pid it names one process for ever: pids are used again, start times are not. */
  started: string
}

const linux = process.platform === 'linux'

/** All processes that this user may see. */
export function processTable(): ProcessInfo[] {
  if (!linux) return tableFromPs()
  const table: ProcessInfo[] = []
  for (const entry of readdirSync('/proc')) {
    const info = /^\d+$/.test(entry) ? fromProc(Number(entry)) : undefined
    if (info) table.push(info)
  }
  return table
}

/** One process, or undefined when there is none with this pid. */
export function processInfo(pid: number): ProcessInfo | undefined {
  return linux ? fromProc(pid) : tableFromPs().find((p) => p.pid === pid)
}

/** True while the process runs: a zombie holds no port, no file and no lock, so it counts as gone. */
export function isAlive(pid: number, started?: string): boolean {
  const info = processInfo(pid)
  return info !== undefined && info.state !== 'Z' && (started === undefined || info.started === started)
}

/**
 * The process, everything below it, and what shares its process group or carries `mark` in its environment. With a root of 0
 * only what carries the mark.
 */
export function processTree(root: number, mark?: string): ProcessInfo[] {
  const table = processTable()
  const members = new Set(root > 0 ? [root] : [])
  for (let grown = true; grown;) {
    grown = false
    for (const p of table) {
      if (members.has(p.pid) || !(members.has(p.ppid) || (root > 0 && p.pgid === root))) continue
      members.add(p.pid)
      grown = true
    }
  }
  if (mark && linux) for (const p of table) if (environmentHas(p.pid, mark)) members.add(p.pid)
  return table.filter((p) => members.has(p.pid))
}

/** Does the environment that the process was started with hold this text? Linux only; elsewhere false. */
export function environmentHas(pid: number, text: string): boolean {
  if (!linux) return false
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(text)
  } catch {
    return false // gone meanwhile, or another user's
  }
}

/** Resident memory in bytes of one process; 0 when it is gone. */
export function residentBytes(pid: number): number {
  try {
    if (!linux) return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)])) * 1024
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * 4096
  } catch {
    return 0
  }
}

function fromProc(pid: number): ProcessInfo | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name stands in parentheses and may hold spaces and parentheses itself: count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return {
      pid,
      state: fields[0]!,
      ppid: Number(fields[1]),
      pgid: Number(fields[2]),
      started: fields[19]!,
    }
  } catch {
    return undefined
  }
}

function tableFromPs(): ProcessInfo[] {
  const out = execFileSync('ps', ['-axo', 'pid=,ppid=,pgid=,stat=,lstart='], { encoding: 'utf8' })
  return out
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter((f) => f.length > 4)
    .map(([pid, ppid, pgid, stat, ...start]) => ({
      pid: Number(pid),
      ppid: Number(ppid),
      pgid: Number(pgid),
      state: stat![0]!,
      started: start.join(' '),
    }))
}
