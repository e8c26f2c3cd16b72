import { Redis } from 'ioredis'

/** A client that gives up at once instead of connecting again: what a test sees is what is there now. */
export function clientOf({ host, port }: { host: string; port: number }): Redis {
  const client = new Redis({ host, port, maxRetriesPerRequest: 0, retryStrategy: () => null })
  client.on('error', () => {}) // the command that was under way reports it
  return client
}
