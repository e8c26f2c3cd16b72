import { existsSync, statfsSync } from 'node:fs'
import { join } from 'node:path'
import { CLONE_ID } from '../paths.ts'
import { OWNER } from '../process/owned.ts'
import { refusalOf, unprivilegedUser } from './user.ts'

const SHM = '/dev/shm'
const TMPFS = 0x01021994
const GIB = 2 ** 30
/** What the largest topology under its longest bench may fill, and what must be left to the programs. */
const ROOM = 3 * GIB
const FREE_MEMORY = 4 * GIB

/**
 * A folder in memory for the data of one command's servers; undefined where the machine has none with enough room. On
 * ext4 a file made soon after others were deleted costs a search through all of them (`recently_deleted`), and a
 * database is 300 files: creating one took 92 ms there and 18 ms here.
 */
export function memoryFolder(): string | undefined {
  if (process.platform !== 'linux' || !existsSync(SHM)) return undefined
  const { type, bavail, bsize } = statfsSync(SHM)
  if (type !== TMPFS || bavail * bsize < ROOM || process.availableMemory() < FREE_MEMORY) return undefined
  if (refusalOf(SHM, unprivilegedUser())) return undefined
  return join(SHM, `scaling-workbook-${CLONE_ID}-${OWNER}`)
}
