import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { OWNER_MARK, ownFolder } from '../process/owned.ts'

const run = promisify(execFile)

// What the binaries of Debian 12 need beyond a bare image; newer releases' further libraries are found by ldd.
const PACKAGES = ['redis-server', 'redis-tools', 'liblzf1', 'libjemalloc2', 'libatomic1']

/** A Redis unpacked into a folder: run `server` with `env` added to its environment. */
export interface UnpackedRedis {
  readonly server: string
  readonly cli: string
  readonly env: Record<string, string>
}

/** Whether this machine has the tools by which `fetchRedis` works. */
export function canFetch(path = process.env.PATH ?? ''): boolean {
  const folders = path.split(':')
  return ['apt-get', 'dpkg', 'ldd'].every((tool) => folders.some((folder) => existsSync(join(folder, tool))))
}

/** The Redis that `fetchRedis` put into `folder`. */
export function unpackedRedis(folder: string): UnpackedRedis | null {
  const server = join(folder, 'usr/bin/redis-server')
  if (!existsSync(server)) return null
  const libraries = ['usr/lib', 'lib'].flatMap((base) => {
    const full = join(folder, base)
    const triplets = existsSync(full) ? readdirSync(full).filter((name) => name.includes('-linux-')) : []
    return triplets.map((name) => join(full, name))
  })
  const inherited = process.env.LD_LIBRARY_PATH ? [process.env.LD_LIBRARY_PATH] : []
  const env = { LD_LIBRARY_PATH: [...libraries, ...inherited].join(':') }
  return { server, cli: join(folder, 'usr/bin/redis-cli'), env }
}

/**
 * Fetches Redis from the distribution's packages into `folder` without root and without touching the system:
 * apt gets its own lists and cache, dpkg only unpacks. The folder appears whole or not at all.
 */
export async function fetchRedis(folder: string, sources?: string): Promise<UnpackedRedis> {
  await mkdir(dirname(folder), { recursive: true })
  const work = await mkdtemp(`${folder}.fetch-`)
  ownFolder(work)
  try {
    const apt = await aptIn(work, sources)
    // One source that fails (a third-party list, a mirror out of date) must not keep us from the others.
    const lists = await apt('update').catch((error: unknown) => error)
    const root = join(work, 'root')
    const fetch = async (packages: string[]) => {
      const debs = await mkdtemp(join(work, 'debs-'))
      await apt('download', packages, debs)
      for (const deb of await readdir(debs)) await run('dpkg', ['-x', join(debs, deb), root])
    }
    await fetch(PACKAGES).catch((error: unknown) => {
      // Without lists apt knows no packages; why it has none is the true reason.
      const own = reasonsOf(error).at(-1)
      const reason =
        own && !/unable to locate|can't find|no packages/i.test(own) ? own : (reasonsOf(lists)[0] ?? own)
      throw new Error(reason ?? String(error), { cause: error })
    })
    for (let missing = await missingLibraries(root); missing.length > 0;) {
      for (const library of missing) await fetch([await providerOf(apt, library)])
      const before = missing.join()
      missing = await missingLibraries(root)
      if (missing.join() === before) throw new Error(`Redis lacks ${before}`)
    }
    await chmod(root, 0o755) // whatever our umask: an unprivileged user has to read it
    // Whoever fetched at the same time and was first has the same thing.
    await rename(root, folder).catch((error: unknown) => {
      if (!unpackedRedis(folder)) throw error
    })
    return unpackedRedis(folder)!
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

type Apt = (command: string, args?: string[], cwd?: string) => Promise<{ stdout: string; stderr: string }>

async function aptIn(work: string, sources?: string): Promise<Apt> {
  for (const name of ['lists/partial', 'cache/archives/partial', 'log', 'root']) {
    await mkdir(join(work, name), { recursive: true })
  }
  const settings = [
    `Dir::State "${work}";`,
    `Dir::State::Lists "${work}/lists";`,
    'Dir::State::status "/var/lib/dpkg/status";',
    `Dir::Cache "${work}/cache";`,
    `Dir::Log "${work}/log";`,
    ...(sources ? [`Dir::Etc::SourceList "${sources}";`, 'Dir::Etc::SourceParts "/dev/null";'] : []),
    'APT::Sandbox::User "root";', // as root: no hand-over to _apt, which could not enter a closed clone
    'Acquire::Languages "none";',
    'Acquire::Retries "1";',
    'Acquire::http::Timeout "15";',
    'Acquire::https::Timeout "15";',
    'Acquire::IndexTargets::deb-src::Sources::DefaultEnabled "false";',
    // The system's hooks (cleaning its cache, telling PackageKit) are none of our business.
    ...['APT::Update::Pre-Invoke', 'APT::Update::Post-Invoke', 'APT::Update::Post-Invoke-Success'].map(
      (hook) => `#clear ${hook};`,
    ),
  ]
  const file = join(work, 'apt.conf')
  await writeFile(file, settings.join('\n') + '\n')
  return async (command, args = [], cwd = work) => {
    const tool = command.startsWith('show') ? 'apt-cache' : 'apt-get'
    const env = { ...process.env, ...OWNER_MARK, LC_ALL: 'C' }
    return await run(tool, ['-c', file, '-q', command, ...args], { cwd, env, timeout: 180_000 })
  }
}

async function missingLibraries(root: string): Promise<string[]> {
  const redis = unpackedRedis(root)
  if (!redis) throw new Error('the packages hold no redis-server')
  const env = { ...process.env, ...redis.env, LC_ALL: 'C' }
  const { stdout } = await run('ldd', [redis.server], { env })
  return [...stdout.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1]!)
}

/** Debian names a library's package after the library: libssl.so.3 is in libssl3, or libssl3t64 since 2024. */
export function packageNames(library: string): string[] {
  const lua = /^liblua[\d.]+-([a-z]+)\.so/.exec(library)
  if (lua) return [`lua-${lua[1]}`]
  const [, stem = library, version = ''] = /^(.+?)\.so\.?(.*)$/.exec(library) ?? []
  const dash = /\d$/.test(stem) && version ? '-' : ''
  const name = `${stem}${dash}${version}`.toLowerCase().replaceAll('_', '-')
  return [name, `${name}t64`]
}

async function providerOf(apt: Apt, library: string): Promise<string> {
  for (const name of packageNames(library)) {
    const known = await apt('showpkg', [name]).catch(() => null)
    if (known && /^Versions:\s*\n\S/m.test(known.stdout)) return name
  }
  throw new Error(`no package holds ${library}`)
}

/** What apt complained of, without its `E: `. */
function reasonsOf(result: unknown): string[] {
  const stderr = (result as { stderr?: string } | undefined)?.stderr ?? ''
  return [...stderr.matchAll(/^[EW]: (.+)$/gm)].map((match) => match[1]!)
}
