import { readFileSync } from 'node:fs'
import type { Text } from '../text.ts'
import { say } from '../text.ts'

/** Package managers whose install command we know by heart. */
export type Family = 'apt' | 'dnf' | 'pacman' | 'apk' | 'zypper' | 'brew' | 'windows' | 'other'

const FAMILIES: Record<string, Family> = {
  debian: 'apt',
  ubuntu: 'apt',
  fedora: 'dnf',
  rhel: 'dnf',
  centos: 'dnf',
  arch: 'pacman',
  alpine: 'apk',
  suse: 'zypper',
  opensuse: 'zypper',
}

// Where Redis left the distribution over its licence, the package is Valkey, which the harness accepts as well.
const REDIS: Record<Exclude<Family, 'windows' | 'other'>, string> = {
  apt: 'apt install redis-server',
  dnf: 'dnf install valkey',
  pacman: 'pacman -S valkey',
  apk: 'apk add valkey',
  zypper: 'zypper install redis',
  brew: 'brew install redis',
}

/** The package manager of this system, from `/etc/os-release` where there is one. */
export function systemFamily(platform = process.platform, osRelease = readOsRelease()): Family {
  if (platform === 'darwin') return 'brew'
  if (platform === 'win32') return 'windows'
  const field = (name: string) =>
    new RegExp(`^${name}="?([^"\\n]*)"?$`, 'm').exec(osRelease)?.[1]?.toLowerCase() ?? ''
  const ids = `${field('ID')} ${field('ID_LIKE')}`.split(/[ -]/)
  return ids.map((id) => FAMILIES[id]).find((family) => family !== undefined) ?? 'other'
}

/** The one command that brings Redis to the reader's system. */
export function installRedis(family = systemFamily(), root = process.getuid?.() === 0): Text {
  if (family === 'windows') {
    return say(
      'Start Docker Desktop, or clone into WSL.',
      'Docker Desktopを起動するか、WSLの中にcloneしてください。',
    )
  }
  if (family === 'other') {
    return say(
      'Install Redis 7 or later, or set REDIS_SERVER to its redis-server.',
      'Redis 7以降をインストールするか、REDIS_SERVERにredis-serverのパスを指定してください。',
    )
  }
  const command = `${root || family === 'brew' ? '' : 'sudo '}${REDIS[family]}`
  return say(`Run: ${command}`, `次を実行してください：${command}`)
}

function readOsRelease(): string {
  try {
    return readFileSync('/etc/os-release', 'utf8')
  } catch {
    return '' // macOS, Windows and the smallest images have none
  }
}
