import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** Root of the clone. */
export const ROOT = join(import.meta.dirname, '..')

/** What a machine needs and nobody wrote: binaries, caches, data folders. Git-ignored. */
export const RUNTIME_DIR = join(ROOT, '.runtime')

/** The learner's folder. `WORKBOOK_WORKSPACE` puts it elsewhere, for tests of the tools themselves. */
export const WORKSPACE = process.env.WORKBOOK_WORKSPACE ?? join(ROOT, 'workspace')

/** Tells this clone's processes and containers from those of another clone on the same machine. */
export const CLONE_ID = createHash('sha256').update(ROOT).digest('hex').slice(0, 12)
