import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

// Imported by bootstrap.mjs before any package is there: nothing but Node's own modules.

interface Locked {
  readonly name?: string
  readonly version?: string
  readonly integrity?: string
  readonly optional?: boolean
  readonly link?: boolean
  readonly os?: string[]
  readonly cpu?: string[]
  readonly libc?: string[]
  resolved?: string
}

interface LockFile {
  readonly packages: Record<string, Locked>
}

const ROOT = join(import.meta.dirname, '..')
const MODULES = join(ROOT, 'node_modules')
const STAMP = join(MODULES, '.workbook-stamp')

/** Whether the locked packages are installed: by us (a stamp says so), or by somebody who typed `npm ci`. */
export function packagesAreFresh(): boolean {
  const lock = read(join(ROOT, 'package-lock.json'))
  if (read(STAMP) === stampOf(lock)) return true
  const installed = read(join(MODULES, '.package-lock.json'))
  if (!installed) return false
  const there = parse(installed).packages
  const isThere = ([path, { version, integrity }]: [string, Locked]) =>
    there[path]?.version === version && there[path]?.integrity === integrity
  if (!required(lock).every(isThere)) return false
  try {
    writeFileSync(STAMP, stampOf(lock))
  } catch {
    // A clone that can't be written is compared again at each start.
  }
  return true
}

/** Installs them in a folder aside, so that a clone never holds half of its packages. */
export async function installPackages(
  aside: string,
  npmCi: (folder: string, count: number, reached?: (registry: string) => void) => Promise<void>,
): Promise<void> {
  const lock = read(join(ROOT, 'package-lock.json'))
  rmSync(aside, { recursive: true, force: true })
  mkdirSync(aside)
  for (const file of ['package.json', '.npmrc']) writeFileSync(join(aside, file), read(join(ROOT, file)))
  const put = (content: string) => writeFileSync(join(aside, 'package-lock.json'), content)
  const install = (reached?: (registry: string) => void) => {
    put(lock)
    return npmCi(aside, required(lock).length, reached)
  }
  await install((registry) => put(withAddresses(lock, registry))).catch((error: { code?: string }) => {
    if (!/^E4\d\d$/.test(error.code ?? '')) throw error
    return install() // its packages are found at other addresses
  })
  try {
    rmSync(MODULES, { recursive: true, force: true })
    renameSync(join(aside, 'node_modules'), MODULES)
  } catch {
    // A mounted folder (a volume of a development container) can be filled, not replaced.
    cpSync(join(aside, 'node_modules'), MODULES, { recursive: true, verbatimSymlinks: true })
  }
  rmSync(aside, { recursive: true })
  writeFileSync(STAMP, stampOf(lock))
}

/** The lock file, the platform (a clone may be shared with another system), and npm's last change. */
function stampOf(lock: string): string {
  const hidden = statSync(join(MODULES, '.package-lock.json'), { throwIfNoEntry: false })
  const hash = createHash('sha256').update(lock).digest('hex')
  return `${hash} ${process.platform}-${process.arch} ${hidden?.size} ${hidden?.mtimeMs}`
}

/**
 * What must be there: an install by an older Node leaves out the platform's binaries that don't fit that Node.
 * Where the C library isn't glibc this asks for too much, and we install once more.
 */
function required(lock: string): [string, Locked][] {
  return Object.entries(parse(lock).packages).filter(([path, { link, optional, os, cpu, libc }]) => {
    if (!path || link) return false
    const ours = os?.includes(process.platform) && cpu?.includes(process.arch)
    return !optional || (ours && (libc?.includes('glibc') ?? true))
  })
}

/**
 * Our lock file names no registry, so npm would look each package up first, at twice the time. With the addresses that
 * packages have at the reader's registry, it goes without.
 */
function withAddresses(lock: string, registry: string): string {
  const file = parse(lock)
  for (const [path, entry] of Object.entries(file.packages)) {
    const name = entry.name ?? path.split('node_modules/').at(-1) ?? ''
    const tarball = `${name.split('/').at(-1)}-${entry.version}.tgz`
    if (entry.integrity) entry.resolved ??= `${registry.replace(/\/$/, '')}/${name}/-/${tarball}`
  }
  return JSON.stringify(file)
}

function parse(text: string): LockFile {
  return JSON.parse(text) as LockFile
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // not there yet
  }
}
