import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import { OWNER_MARK } from '../process/owned.ts'

const run = promisify(execFile)

/** Of the running server alone: a copy makes its own. */
const FILES = /^(postmaster\.(pid|opts)|standby\.signal|recovery\.signal|backup_label.*)$/
const EMPTY = [
  'pg_wal',
  'pg_wal/archive_status',
  'pg_wal/summaries',
  'pg_replslot',
  'pg_dynshmem',
  'pg_notify',
  'pg_serial',
  'pg_snapshots',
  'pg_stat_tmp',
  'pg_subtrans',
]

/**
 * A consistent copy of a running server's data folder, by Postgres's low-level API: these binaries have no
 * `pg_basebackup`. Without WAL: the copy fetches that from whom it follows.
 */
export async function baseCopy(port: number, from: string, to: string): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', application_name: 'harness' })
  client.on('error', () => {}) // the query that is under way reports it
  await client.connect()
  try {
    await client.query("SELECT pg_backup_start('reseed', true)")
    await mkdir(to, { mode: 0o700 })
    const entries = (await readdir(from)).filter((name) => !FILES.test(name) && !EMPTY.includes(name))
    await copyAll(entries, from, to)
    for (const name of EMPTY) await mkdir(join(to, name), { mode: 0o700 })
    // In the same session: it ends with it.
    const { rows } = await client.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)')
    await writeFile(join(to, 'backup_label'), rows[0]!.labelfile)
  } finally {
    await client.end().catch(() => {}) // broken already
  }
}

async function copyAll(entries: string[], from: string, to: string): Promise<void> {
  if (process.platform !== 'linux') {
    for (const name of entries) await cp(join(from, name), join(to, name), { recursive: true })
    return
  }
  const copy = ['-a', '--reflink=auto', ...entries.map((name) => join(from, name)), to]
  const options = { env: { ...process.env, ...OWNER_MARK } }
  await run('cp', copy, options).catch(async () => {
    // A file that the server removed meanwhile: once more.
    await Promise.all(entries.map((name) => rm(join(to, name), { recursive: true, force: true })))
    await run('cp', copy, options)
  })
}
