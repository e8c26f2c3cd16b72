import { Redis } from 'ioredis'
import type { NodeInfo, Started } from './components.ts'
import { lsn, sqlOnce } from './sql.ts'

/** The server runs and answers, whatever was done to it. */
export async function revive({ info, server }: Started): Promise<void> {
  await server.thaw()
  await versionOf(info).catch(() => server.start())
}

/** `18.4`, as the server itself says. */
export function versionOf(info: NodeInfo): Promise<string> {
  return info.kind === 'postgres' ? postgresVersion(info) : redisVersion(info)
}

/** Has the WAL of this primary passed its first 4 GiB? */
export async function isPast4GiB(primary: NodeInfo): Promise<boolean> {
  const [row] = await sqlOnce(primary, 'postgres', 'SELECT pg_current_wal_lsn() AS lsn')
  return lsn(row?.lsn) >= 1n << 32n
}

async function postgresVersion(info: NodeInfo): Promise<string> {
  const [row] = await sqlOnce(info, 'postgres', 'SHOW server_version', undefined, { ms: 1000 })
  return String(row?.server_version).split(' ')[0]!
}

async function redisVersion(info: NodeInfo): Promise<string> {
  return withRedis(info, async (redis) => /redis_version:(\S+)/.exec(await redis.info('server'))?.[1] ?? '?')
}

/** Forgets all that it holds. */
export async function emptyRedis(info: NodeInfo): Promise<void> {
  await withRedis(info, (redis) => redis.flushall())
}

async function withRedis<T>(info: NodeInfo, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({
    host: info.host,
    port: info.port,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
  })
  redis.on('error', () => {}) // reported by the command itself
  try {
    await redis.connect()
    return await use(redis)
  } finally {
    redis.disconnect()
  }
}
