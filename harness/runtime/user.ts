import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CLONE_ID, RUNTIME_DIR } from '../paths.ts'
import type { Text } from '../text.ts'
import { same, say } from '../text.ts'
import { Unavailable } from '../unavailable.ts'

/** Whom a server process runs as when we are root: pass `uid` and `gid` to `spawn`. */
export interface User {
  readonly uid: number
  readonly gid: number
  readonly name: string
}

/** Where servers keep their data, and why there when it isn't the clone's own `.runtime`. */
export interface DataRoot {
  readonly path: string
  readonly reason?: Text
}

let chosenUser: User | null | undefined
let chosenRoot: DataRoot | undefined

/**
 * The user that Postgres runs as: null when we are not root and so need no other, else `postgres`, `nobody`, or
 * the first that this machine lets us become.
 * @throws Unavailable when we are root and can become nobody else
 */
export function unprivilegedUser(): User | null {
  chosenUser ??= process.getuid?.() === 0 ? chooseUser(readFileSync('/etc/passwd', 'utf8')) : null
  return chosenUser
}

/** Picks from the lines of a passwd file; `accept` tells whether the machine really lets us become that user. */
export function chooseUser(passwd: string, accept: (user: User) => boolean = canBecome): User {
  const users = passwd.split('\n').flatMap((line) => {
    const [name = '', , uid = '', gid = ''] = line.split(':')
    return Number(uid) > 0 && gid !== '' ? [{ name, uid: Number(uid), gid: Number(gid) }] : []
  })
  const favourites = ['postgres', 'nobody'].flatMap((name) => users.filter((one) => one.name === name))
  const chosen = [...favourites, ...users].find(accept)
  if (chosen) return chosen
  throw new Unavailable({
    what: say('Postgres can’t be started.', 'Postgresを起動できません。'),
    why: say(
      'It refuses to run as root, and this machine lets root become no other user.',
      'Postgresはrootでは動きません。このマシンでは、rootからほかのユーザーに切り替えられません。',
    ),
    remedy: say(
      'Run the command as an ordinary user, or add one: useradd workbook',
      '一般ユーザーで実行するか、ユーザーを追加してください：useradd workbook',
    ),
  })
}

/**
 * A folder in which `unprivilegedUser()` can work. `.runtime` of the clone, else one in the system's temporary
 * folder: a clone under /root is closed to others, a Windows drive seen from WSL keeps no permissions.
 */
export function dataRoot(): DataRoot {
  chosenRoot ??= chooseDataRoot(RUNTIME_DIR, unprivilegedUser())
  return chosenRoot
}

/** `dataRoot()` for any folder and user; the reason why the nearest did not serve is kept. */
export function chooseDataRoot(
  near: string,
  user: User | null,
  temporary = [tmpdir(), '/tmp', '/var/tmp'],
): DataRoot {
  const own = `scaling-workbook-${process.getuid?.() ?? 'data'}-${CLONE_ID}`
  let reason: Text | undefined
  for (const path of [near, ...temporary.map((folder) => join(folder, own))]) {
    const refusal = (path === near ? undefined : foreign(path)) ?? refusalOf(path, user)
    if (!refusal) return reason ? { path, reason } : { path }
    reason ??= refusal
  }
  throw new Unavailable({
    what: say('There is no folder for the servers’ data.', 'サーバーのデータを置くフォルダーがありません。'),
    why: reason ?? same(''),
    remedy: say(
      'Free some space, or set TMPDIR to a folder that every user may enter.',
      '空き容量を増やすか、誰でも入れるフォルダーをTMPDIRに指定してください。',
    ),
  })
}

/** Whether a user can reach and execute `path`, asked of the kernel and not guessed from modes. */
export function reachable(path: string, user: User | null): boolean {
  if (!user) return true
  const probe = spawnSync('/bin/sh', ['-c', 'test -x "$1"', 'sh', path], { ...identity(user), cwd: '/' })
  return probe.status === 0
}

/** The `uid` and `gid` for `spawn`, nothing when we stay who we are. */
export function identity(user: User | null): { uid?: number; gid?: number } {
  return user ? { uid: user.uid, gid: user.gid } : {}
}

function canBecome(user: User): boolean {
  // Fails in a container without CAP_SETUID, or for an id that its user namespace does not map.
  return spawnSync('/bin/sh', ['-c', ':'], { ...identity(user), cwd: '/' }).status === 0
}

/** A name in /tmp can be guessed: somebody else's folder or symbolic link there is not ours to use. */
function foreign(path: string): Text | undefined {
  const folder = lstatSync(path, { throwIfNoEntry: false })
  if (!folder || (folder.isDirectory() && folder.uid === (process.getuid?.() ?? folder.uid))) return undefined
  return say(`${path} belongs to somebody else.`, `${path}はほかのユーザーのものです。`)
}

/** Why the servers' user can't keep data in a folder; undefined where it can. */
export function refusalOf(path: string, user: User | null): Text | undefined {
  try {
    mkdirSync(path, { recursive: true })
    if (process.platform === 'win32') return undefined
    if (user && (statSync(path).mode & 0o755) !== 0o755) chmodSync(path, 0o755) // made under a strict umask
    if (!keepsPermissions(path, user)) {
      return say(
        `The file system of ${path} keeps no permissions, which Postgres insists on.`,
        `${path}のファイルシステムは、Postgresが必要とするアクセス権を保存できません。`,
      )
    }
    if (reachable(path, user)) return undefined
    return say(
      `${path} is closed to the user ${user?.name}, whom Postgres runs as.`,
      `Postgresを動かすユーザー${user?.name}は、${path}に入れません。`,
    )
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? String(error)
    return say(`${path} can’t be written (${code}).`, `${path}に書き込めません（${code}）。`)
  }
}

function keepsPermissions(path: string, user: User | null): boolean {
  const probe = mkdtempSync(join(path, 'probe-'))
  try {
    chmodSync(probe, 0o700)
    if (user) chownSync(probe, user.uid, user.gid)
    const { mode, uid } = statSync(probe)
    return (mode & 0o777) === 0o700 && (!user || uid === user.uid)
  } finally {
    rmSync(probe, { recursive: true, force: true })
  }
}
