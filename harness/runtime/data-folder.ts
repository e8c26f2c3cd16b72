import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFile, chown, cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { OWNER_MARK, ownFolder } from '../process/owned.ts'
import { postgresBinaries } from './binaries.ts'
import { dataRoot, identity, unprivilegedUser } from './user.ts'

const run = promisify(execFile)

/** For programs that run for a moment: what a killed command had begun must not go on behind the next one's back. */
const MARKED = { env: { ...process.env, ...OWNER_MARK } }

const bases = new Map<boolean, Promise<string>>()

/** A data folder fresh from `initdb`, made once for this version and copied for every server. */
export async function baseFolder(far: boolean): Promise<string> {
  const made = bases.get(far) ?? makeBaseFolder(far)
  bases.set(far, made)
  return made
}

async function makeBaseFolder(far: boolean): Promise<string> {
  const { initdb, postgres, version } = await postgresBinaries()
  const root = dataRoot().path
  const key = createHash('sha256')
    .update(`${version} ${far ? 'far 8' : 2}`)
    .digest('hex')
    .slice(0, 8)
  const final = join(root, `base-${version}-${key}${far ? '-far' : ''}`)
  if (await readFile(join(final, 'PG_VERSION'), 'utf8').catch(() => '')) return final
  const fresh = `${final}.${process.pid}`
  ownFolder(fresh)
  await rm(fresh, { recursive: true, force: true })
  await mkdir(fresh, { recursive: true, mode: 0o700 })
  await giveAway(fresh)
  const options = ['-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N', '-D', fresh]
  const as = { ...identity(unprivilegedUser()), cwd: dirname(fresh), ...MARKED }
  await run(initdb, far ? [...options, '--wal-segsize=1'] : options, as)
  if (far) await writeFourGigabytes(postgres, fresh, as)
  // Two first starts at once: the first rename wins, the other copy is thrown away.
  await rename(fresh, final).catch(() => rm(fresh, { recursive: true, force: true }))
  return final
}

/** 8 MB short of 4 GiB of WAL: these binaries have no `pg_resetwal`, so the way there is walked (about a second). */
const WALK =
  "DO $$ BEGIN FOR i IN 1..5000 LOOP EXIT WHEN pg_current_wal_lsn() >= '0/FF800000';" +
  " PERFORM pg_logical_emit_message(false, '', ''); PERFORM pg_switch_wal();" +
  " IF i % 16 = 0 THEN EXECUTE 'CHECKPOINT'; END IF; END LOOP; END $$"

async function writeFourGigabytes(postgres: string, dir: string, as: object): Promise<void> {
  const settings = { fsync: 'off', wal_init_zero: 'off', min_wal_size: '2MB', max_wal_size: '4MB' }
  const options = Object.entries(settings).flatMap(([k, v]) => ['-c', `${k}=${v}`])
  const walking = run(postgres, ['--single', '-D', dir, ...options, 'postgres'], as)
  walking.child.stdin?.end(`${WALK}\n`)
  await walking
}

/** Makes a standby of a data folder that nobody runs on. */
export async function makeStandby(dir: string, conninfo: string): Promise<void> {
  const signal = join(dir, 'standby.signal')
  const auto = join(dir, 'postgresql.auto.conf')
  await writeFile(signal, '')
  // Last in the file wins: a copy brings its original's own.
  await appendFile(auto, `primary_conninfo = '${conninfo.replaceAll("'", "''")}'\n`)
  await Promise.all([giveAway(signal), giveAway(auto)])
}

/** A data folder has a thousand files: the system's own `rm` takes a tenth of the time and none of our thread's. */
export async function removeFolder(dir: string): Promise<void> {
  if (process.platform === 'win32') await rm(dir, { recursive: true, force: true })
  else await run('rm', ['-rf', dir], MARKED)
}

/** Owner and modes stay; where the file system can share blocks it does. */
export async function copyFolder(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true })
  if (process.platform === 'linux') await run('cp', ['-a', '--reflink=auto', from, to], MARKED)
  else await cp(from, to, { recursive: true, preserveTimestamps: true, mode: 2 })
}

/** A folder and all in it, for the user that the servers run as. */
export async function giveAllAway(dir: string): Promise<void> {
  const user = unprivilegedUser()
  if (user) await run('chown', ['-R', `${user.uid}:${user.gid}`, dir], MARKED)
}

/** One file or folder, for the user that the servers run as. */
export async function giveAway(path: string): Promise<void> {
  const user = unprivilegedUser()
  if (user) await chown(path, user.uid, user.gid)
}
