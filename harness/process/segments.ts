import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A System V shared memory segment, as a Postgres notes it in its `postmaster.pid`. */
interface Segment {
  id: string
  /** `0x` and eight digits, as `ipcs` prints it. */
  key: string
}

/**
 * Releases the shared memory of Postgres servers that were killed, for good: each holds one System V segment, which the
 * system keeps after a SIGKILL until it is restarted, and it has room for few (Linux 4096, macOS 32).
 * @param folders data folders; servers on them must have ended
 */
export function releaseSegments(folders: string[]): void {
  if (process.platform === 'win32') return
  const left = folders.flatMap(segmentOf)
  if (left.length === 0) return
  // After a restart of the system the number may be somebody else's: the key, made from the folder's inode, must agree.
  const present = listed('ipcs', ['-m'])
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
  for (const { id, key } of left)
    if (present.some((words) => words.includes(id) && words.includes(key))) listed('ipcrm', ['-m', id])
}

/** What may be a data folder: all that lies in `root`. */
export function foldersIn(root: string): string[] {
  try {
    return readdirSync(root).map((name) => join(root, name))
  } catch {
    return [] // gone, or a file
  }
}

/** The seventh line of `postmaster.pid`: key and number. */
function segmentOf(dataFolder: string): Segment[] {
  try {
    const line = readFileSync(join(dataFolder, 'postmaster.pid'), 'utf8').split('\n')[6] ?? ''
    const [key, id] = line.trim().split(/\s+/).map(Number)
    return key && id !== undefined ? [{ id: String(id), key: `0x${hex(key)}` }] : []
  } catch {
    return [] // no Postgres, or one that ended in order
  }
}

function hex(key: number): string {
  return (key >>> 0).toString(16).padStart(8, '0')
}

/** What a command of the system prints; nothing where it is missing. */
function listed(command: string, args: string[]): string {
  return spawnSync(command, args, { encoding: 'utf8' }).stdout ?? ''
}
