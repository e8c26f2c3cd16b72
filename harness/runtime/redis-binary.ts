import { accessSync, constants, existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, delimiter, dirname, join } from 'node:path'
import type { Text } from '../text.ts'
import { say } from '../text.ts'
import { Unavailable } from '../unavailable.ts'
import { EXE, versionOf } from './program.ts'
import { canFetch, fetchRedis, unpackedRedis } from './redis-apt.ts'
import { installRedis } from './system.ts'
import { dataRoot } from './user.ts'

/** `cluster-port` came with 7.0; Valkey began at 7.2. */
const OLDEST_REDIS = 7

/** A Redis server's program; `env` goes on top of its environment. */
export interface RedisBinary {
  readonly server: string
  readonly cli?: string
  readonly version: string
  readonly source: 'REDIS_SERVER' | 'PATH' | 'fetched'
  readonly env?: Record<string, string>
}

/** `folder` and `env` stand in for the data root's folder and our environment. */
export interface RedisOptions {
  readonly onProgress?: (text: Text) => void
  readonly folder?: string
  readonly env?: NodeJS.ProcessEnv
  /** False: only look, fetch nothing. */
  readonly fetch?: boolean
}

let found: Promise<RedisBinary> | undefined

/**
 * A Redis server, 7.0 or later: `REDIS_SERVER`, else the PATH's redis-server or valkey-server, else, on Debian
 * and Ubuntu, fetched once into `folder`.
 * @throws Unavailable with the one command that brings Redis to this system
 */
export function redisBinary(options: RedisOptions = {}): Promise<RedisBinary> {
  if (options.folder ?? options.env ?? (options.fetch === false || undefined)) return findRedis(options)
  // Looked for once in a process: two servers that start together fetch once.
  found ??= findRedis(options).catch((error: unknown) => {
    found = undefined
    throw error
  })
  return found
}

async function findRedis(options: RedisOptions): Promise<RedisBinary> {
  const { onProgress, env = process.env } = options
  if (env.REDIS_SERVER) return await named(env.REDIS_SERVER)
  const refused: string[] = []
  for (const server of onPath(env.PATH ?? '')) {
    const version = await versionOf(server).catch(() => undefined)
    if (version && parseInt(version) >= OLDEST_REDIS)
      return { server, ...cliOf(server), version, source: 'PATH' }
    refused.push(`${server} ${version ?? ''}`.trim())
  }
  const folder = options.folder ?? join(dataRoot().path, 'redis')
  const kept = await fetched(folder)
  if (kept) return kept
  if (process.platform !== 'linux' || !canFetch(env.PATH) || options.fetch === false) throw noRedis(refused)
  onProgress?.(
    say(
      'Fetching Redis from this system’s packages (7 MB)',
      'このシステムのパッケージからRedisを取得します（7 MB）',
    ),
  )
  try {
    // One is there and no longer runs: the system was upgraded.
    if (unpackedRedis(folder)) await rm(folder, { recursive: true, force: true })
    await fetchRedis(folder)
  } catch (error) {
    throw noRedis(refused, error)
  }
  const fresh = await fetched(folder)
  if (!fresh) throw noRedis([...refused, 'apt'])
  return fresh
}

async function fetched(folder: string): Promise<RedisBinary | null> {
  const redis = unpackedRedis(folder)
  const version = redis && (await versionOf(redis.server, redis.env).catch(() => undefined))
  return version && parseInt(version) >= OLDEST_REDIS ? { ...redis, version, source: 'fetched' } : null
}

async function named(server: string): Promise<RedisBinary> {
  const what = say('There is no Redis server to run.', '動かせるRedisサーバーがありません。')
  const remedy = say(
    'Set REDIS_SERVER to the path of a redis-server, or unset it.',
    'REDIS_SERVERにredis-serverのパスを指定するか、設定を外してください。',
  )
  const version = await versionOf(server).catch((error: unknown) => {
    const why = say(`REDIS_SERVER is ${server}, which doesn’t run.`, `REDIS_SERVERの${server}は動きません。`)
    throw new Unavailable({ what, why, remedy }, { cause: error })
  })
  if (parseInt(version) >= OLDEST_REDIS) return { server, ...cliOf(server), version, source: 'REDIS_SERVER' }
  const why = say(
    `REDIS_SERVER is Redis ${version}; the labs need ${OLDEST_REDIS}.0 or later.`,
    `REDIS_SERVERはRedis ${version}です。ラボには${OLDEST_REDIS}.0以降が必要です。`,
  )
  throw new Unavailable({ what, why, remedy })
}

function onPath(path: string): string[] {
  const folders = path.split(delimiter).filter(Boolean)
  const all = ['redis-server', 'valkey-server'].flatMap((name) =>
    folders.map((folder) => join(folder, name + EXE)),
  )
  return all.filter((file) => {
    try {
      accessSync(file, constants.X_OK)
      return true
    } catch {
      return false // not in this folder
    }
  })
}

/** redis-cli stands beside redis-server, valkey-cli beside valkey-server. */
function cliOf(server: string): { cli?: string } {
  const cli = join(dirname(server), basename(server).replace('-server', '-cli'))
  return existsSync(cli) && cli !== server ? { cli } : {}
}

function noRedis(refused: string[], cause?: unknown): Unavailable {
  const what = say('There is no Redis server to run.', '動かせるRedisサーバーがありません。')
  const remedy = installRedis()
  if (cause) {
    const reason = cause instanceof Error ? cause.message : 'apt'
    const why = say(`Fetching it failed: ${reason}.`, `取得できませんでした：${reason}`)
    return new Unavailable({ what, why, remedy }, { cause })
  }
  const old = refused.join(', ')
  const newer = say(
    'Start Docker, or set REDIS_SERVER to a newer redis-server.',
    'Dockerを起動するか、新しいredis-serverのパスをREDIS_SERVERに指定してください。',
  )
  const why = refused.length
    ? say(
        `Too old or broken: ${old}; the labs need ${OLDEST_REDIS}.0.`,
        `${old}は古いか、動きません。${OLDEST_REDIS}.0以降が必要です。`,
      )
    : say(
        'Neither redis-server nor valkey-server is on the PATH.',
        'redis-serverもvalkey-serverもPATHにありません。',
      )
  return new Unavailable({ what, why, remedy: old ? newer : remedy })
}
