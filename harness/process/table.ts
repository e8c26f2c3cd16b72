import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** One line of the system's process table. */
export interface ProcessInfo {
  pid: number
  ppid: number
  pgid: number
  /** First letter of the state: R, S, T (stopped), Z (zombie) … */
  state: string
  /** It belongs to a terminal: somebody's shell, or what they run there. */
  terminal: boolean
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

/** What belongs together: a process, and how to know again what broke away from it. */
export interface Family {
  /** Everything below it and in its process group belongs to it. */
  root: number
  /** When `root` was started: its pid may be somebody else's by now. */
  started?: string
  /** Text in the environment of its processes. */
  mark?: string
  /** Folder in which its processes work: a child with an environment of its own stays in it. */
  home?: string
}

/** The processes of a family that there are now. */
export function familyOf({ root, started, mark, home }: Family): ProcessInfo[] {
  const table = processTable()
  const members = new Set<number>()
  // The system gives a pid out again only when no process group of that number is left: then nothing of ours is.
  const reused = started !== undefined && (table.find((p) => p.pid === root)?.started ?? started) !== started
  if (root > 0 && !reused) members.add(root)
  const groups = new Set(members)
  for (let grown = true; grown;) {
    grown = false
    for (const p of table) {
      if (members.has(p.pid) || !(members.has(p.ppid) || groups.has(p.pgid))) continue
      members.add(p.pid)
      grown = true
    }
  }
  return table.filter(
    ({ pid, terminal }) =>
      members.has(pid) ||
      (mark && environmentHas(pid, mark)) ||
      // A reader may have opened a shell there to look around.
      (home && !terminal && worksIn(pid, home)),
  )
}

function worksIn(pid: number, home: string): boolean {
  if (!linux) return false
  try {
    return `${readlinkSync(`/proc/${pid}/cwd`).replace(/ \(deleted\)$/, '')}/`.startsWith(`${home}/`)
  } catch {
    return false // gone meanwhile, or another user's
  }
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
      terminal: fields[4] !== '0',
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
      terminal: false, // asked for on Linux only
      state: stat![0]!,
      started: start.join(' '),
    }))
}
